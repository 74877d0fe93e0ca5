"""Schedules: at a time, what is missing or stale of some nouns, and of what they need."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from platform_ml.orchestration.requests import REQUEST_TAG
from platform_ml.orchestration.schedules import scheduled
from platform_ml.spec.automation import Automation
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG
from platform_ml.spec.schedule import Schedule
from platform_ml_tests.orchestration.watched import Watched, day, ends, nouns, project_of, sent

MONDAY = datetime(2026, 1, 5, 3, tzinfo=UTC)


class Scheduled(Watched):
    """The same with a schedule of its own."""

    later = None

    def tick_at(self, time):
        with dg.build_schedule_context(
            instance=self.instance, scheduled_execution_time=time, repository_def=self.repository
        ) as context:
            found = sent(self.repository.get_schedule_def("shop_weekly").evaluate_tick(context))
        self.asked, self.said = found.run_requests, found.skip_message or ""
        return [(nouns(one), *ends(one)) for one in self.asked]

    def go_on(self, minutes=0):
        self.now += timedelta(minutes=minutes)
        context = dg.build_sensor_context(instance=self.instance, repository_def=self.repository, cursor=self.later)
        found = sent(scheduled(self.project, self.platform, clock=lambda: self.now).evaluate_tick(context))
        self.later, self.asked, self.said = found.cursor, found.run_requests, found.skip_message or ""
        return [(nouns(one), *ends(one)) for one in self.asked]


@pytest.fixture
def shop(tmp_path):
    project = project_of(12)
    weekly = Schedule.weekly(name="weekly", of=(project.outputs[0],), timezone="Europe/Vienna")
    made = Scheduled(tmp_path, replace(project, schedules=(weekly,)))
    (tmp_path / "instance").mkdir()
    # Contexts of schedules open the instance themselves, so it has to be on disk.
    with dg.DagsterInstance.local_temp(str(tmp_path / "instance")) as made.instance:
        yield made


def test_a_tick_asks_for_what_is_missing_and_says_why(shop):
    shop.put(0, 1)
    assert shop.tick_at(MONDAY) == [(("visits", "came"), day(0), day(1))]
    (request,) = shop.asked
    assert request.tags[REASON_TAG] == "schedule"
    assert request.tags[DETAIL_TAG].startswith("weekly of 2026-01-05T03:00:00+00:00: visits, came 2021-01-01...")
    assert shop.repository.get_job("__ASSET_JOB")


def test_a_tick_that_is_seen_twice_asks_for_nothing_twice(shop):
    shop.put(0, 1)
    shop.tick_at(MONDAY)
    first = [one.run_key for one in shop.asked]
    shop.tick_at(MONDAY)
    assert [one.run_key for one in shop.asked] == first
    shop.start()
    assert shop.tick_at(MONDAY) == []
    assert "is making 4 partitions" in shop.said or "is making 2 partitions" in shop.said


def test_a_sensor_and_a_schedule_that_ask_for_the_same_at_once_have_one_effect(shop):
    shop.put(0, 1)
    by_sensor = shop.tick()
    shop.tick_at(MONDAY)
    by_schedule = shop.asked
    assert [one.tags[REQUEST_TAG] for one in by_sensor] == [one.tags[REQUEST_TAG] for one in by_schedule]
    assert {one.tags[REASON_TAG] for one in (*by_sensor, *by_schedule)} == {"new_data", "schedule"}
    shop.perform(*by_sensor)
    made = {name: shop.work.platform.tables.snapshot(f"shop/{name}").version for name in ("visits", "came")}
    shop.perform(*by_schedule)
    assert {name: shop.work.platform.tables.snapshot(f"shop/{name}").version for name in made} == made
    assert shop.loaded() == [day(0), day(1)]
    assert shop.tick() == shop.tick_at(MONDAY) == []


def test_an_empty_plan_is_a_readable_skip(shop):
    assert shop.tick_at(MONDAY) == []
    assert shop.said.startswith("Looked at 1 source: 12 awaited. Cannot be made yet: ")
    shop.put(0)
    shop.tick_at(MONDAY)
    shop.perform()
    assert shop.tick_at(MONDAY + timedelta(days=7)) == []
    assert "1 up to date" in shop.said


def test_what_a_schedule_has_begun_is_gone_on_with_until_it_is_made(shop):
    assert shop.go_on() == []
    shop.put(*range(10))
    shop.tick_at(MONDAY)
    shop.perform()
    assert shop.go_on() == []
    shop.put(2, ids=[9])
    assert shop.go_on() == []  # it was done: new data waits for the next time
    assert "all of it is made" in shop.said
    next_time = MONDAY + timedelta(days=7)
    assert shop.tick_at(next_time) == [(("visits",), day(2), day(2))]
    shop.start()
    assert shop.go_on() == []
    (run,) = shop.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    shop.instance.delete_run(run.run_id)
    shop.tick_at(next_time)
    shop.perform()
    assert shop.go_on() == [(("came",), day(2), day(8))]
    assert shop.asked[0].tags["platform_ml/scheduled_time"] == next_time.isoformat()
    assert shop.asked[0].tags[REASON_TAG] == "schedule"
    shop.perform()
    assert shop.go_on() == []
    shop.later = "garbled"
    assert shop.go_on() == []


def test_schedules_are_stopped_unless_the_project_says_otherwise(shop):
    (schedule,) = shop.repository.schedule_defs
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 3 * * mon", "Europe/Vienna")
    assert schedule.owners == ["team:shop"]
    running = Scheduled(shop.folder, replace(shop.project, automation=Automation(running=True)))
    assert running.repository.schedule_defs[0].default_status == dg.DefaultScheduleStatus.RUNNING
    names = {sensor.name for sensor in shop.repository.sensor_defs}
    assert {"shop_new_data", "shop_scheduled"} <= names
