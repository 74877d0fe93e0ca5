"""A small project that is looked after: visits by day as CSV files, and how often somebody came lately."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import dagster as dg
from dagster._core.utils import make_new_run_id
from dagster_shared.serdes import deserialize_value, serialize_value

from platform_ml.engine.ports import WHOLE
from platform_ml.orchestration.build import definitions
from platform_ml.orchestration.new_data import new_data
from platform_ml.orchestration.requests import PARTITION_NAME_TAG
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.origins import Files
from platform_ml.spec.automation import Automation
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.window import Daily
from platform_ml.testing.origins import visits
from platform_ml_tests.engine import feeds
from platform_ml_tests.engine.shop import stamp
from platform_ml_tests.engine.test_staleness import STEPS

FIRST = date(2021, 1, 1)
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
AT_ONCE = Automation(settle=timedelta(0), max_partitions_per_run=400, retry_after=timedelta(minutes=10))


def day(number):
    """The key of a day."""
    return str(FIRST + timedelta(days=number))


def project_of(days, automation=AT_ONCE, **other):
    source = replace(
        visits,
        origin=Files(settle=timedelta(0)),
        cadence=Daily(first=FIRST, last=FIRST + timedelta(days=days - 1)),
        max_rejected_share=0.0,
    )
    return replace(feeds.project_of(source), automation=automation, **other)


class Watched:
    """The project in a folder, with its sensor, the sensor's cursor, and a clock."""

    def __init__(self, folder, project):
        self.folder, self.project = folder, project
        self.platform = PlatformResource(data=str(folder), memory="500MB")
        self.instance = dg.DagsterInstance.ephemeral(tempdir=str(folder))
        self.now = datetime(2026, 1, 1, 12, tzinfo=UTC)
        self.cursor = None
        self.said = ""
        self.nouns = {noun.name: noun for noun in project.nouns}
        self.source, self.group = self.nouns["visits"], self.nouns["came"]

    @cached_property
    def work(self):
        return self.platform.work(self.project.name, lambda _: None)

    @cached_property
    def repository(self):
        return definitions([self.project], self.platform).get_repository_def()

    def put(self, *numbers, ids=(1, 2)):
        """Deliver days; without ids a file that is none."""
        for number in numbers:
            feeds.put(self.work, f"{day(number)}.csv", ids)
            if not ids:
                file = self.work.platform.landing / "shop/visits" / f"{day(number)}.csv"
                file.write_text("this is no file of visits\n")

    def tick(self, cursor=...):
        """What one look of the sensor asks for."""
        context = dg.build_sensor_context(
            instance=self.instance,
            repository_def=self.repository,
            cursor=self.cursor if cursor is ... else cursor,
            definitions=None,
        )
        sensor = new_data(self.project, self.platform, clock=lambda: self.now)
        found = sent(sensor.evaluate_tick(context))
        self.cursor, self.said = found.cursor, found.skip_message or ""
        return found.run_requests

    def look(self, minutes=0, **more):
        """The same, in short: nouns and partitions."""
        self.now += timedelta(minutes=minutes)
        self.asked = self.tick(**more)
        return [(nouns(one), *ends(one)) for one in self.asked]

    def record(self, request, status):
        """A run of a request, as the daemon would have it."""
        run = dg.DagsterRun(
            job_name="__ASSET_JOB",
            run_id=make_new_run_id(),
            tags=dict(request.tags) | {"dagster/run_key": request.run_key},
            asset_selection=set(request.asset_selection),
            status=status,
        )
        self.instance.add_run(run)
        return run

    def perform(self, *requests):
        """Do what was asked for, without the daemon."""
        for request in requests or self.asked:
            first, last = ends(request)
            for name in nouns(request):
                keys = (
                    [key for key in self.source.cadence.keys() if first <= key <= last] if first != WHOLE else [WHOLE]
                )
                noun = self.nouns[name]
                STEPS[type(noun)](noun, keys, work=self.work, stamp=stamp(fingerprint=fingerprint(noun)))
            self.record(request, dg.DagsterRunStatus.SUCCESS)

    def start(self, *requests):
        return [self.record(one, dg.DagsterRunStatus.STARTED) for one in requests or self.asked]

    def fail(self, *requests):
        """The runs fail without a word."""
        for run in self.start(*requests):
            self.instance.report_run_failed(run, "it was killed")

    def execute(self, request):
        """A real run, in this process."""
        job = self.repository.get_job(request.job_name)
        tags = dict(request.tags) | {"dagster/run_key": request.run_key}
        return job.execute_in_process(
            instance=self.instance, asset_selection=request.asset_selection, tags=tags, raise_on_error=False
        )

    def loaded(self, name="visits"):
        snapshot = self.work.platform.tables.snapshot(f"shop/{name}")
        return sorted(snapshot.partitions) if snapshot else []


def sent(tick):
    """As the daemon gets it from a code server: as text, which members of an enumeration cannot become."""
    return deserialize_value(serialize_value(tick))


def nouns(request):
    return tuple(sorted((key.path[-1] for key in request.asset_selection), key=["visits", "came"].index))


def ends(request):
    one = request.tags.get(PARTITION_NAME_TAG, WHOLE)
    return request.tags.get(START, one), request.tags.get(END, one)
