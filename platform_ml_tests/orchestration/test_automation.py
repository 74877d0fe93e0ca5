"""Declarative automation, look by look: what is requested, and what a failed check holds back."""

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import dagster as dg
import pytest

from platform_ml.orchestration.automation import DAYS, automation_sensor, default_status, newest
from platform_ml.orchestration.build import definitions, project_assets
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG
from platform_ml.spec.scores import Scores
from platform_ml.spec.window import Daily, Weekly
from platform_ml_tests.orchestration.shop import (
    DAYS as SHOP_DAYS,
)
from platform_ml_tests.orchestration.shop import (
    FIRST,
    bought_on,
    customer_profile,
    customers,
    key,
    lapse,
    lapse_view,
    lapsed,
    order_history,
    order_weeks,
    orders,
    shop,
)
from platform_ml_tests.orchestration.watched import sent

CHECK = "unique_key"
DAY = str(FIRST + timedelta(days=59))
"""In the last but one week: 2024-02-29."""
lapse_scores = Scores(
    name="lapse_scores",
    description="Who may lapse.",
    registration=lapse,
    moments=Weekly(first=FIRST + timedelta(days=14), last=SHOP_DAYS[-7]),
)


class Daemon:
    """Looks at a project again and again, as the sensor does; nothing that it requests is run."""

    def __init__(self, instance, project=shop):
        self.instance, self.defs, self.cursor = instance, definitions([project], PlatformResource()), None
        self.selection = dg.AssetSelection.key_prefixes([project.name])

    def look(self):
        """Asset → partitions that this look requests."""
        found = dg.evaluate_automation_conditions(
            self.defs, self.instance, asset_selection=self.selection, cursor=self.cursor
        )
        self.cursor = found.cursor
        asked = {one.key.path[-1]: one.true_subset for one in found.results if not one.true_subset.is_empty}
        return {
            name: sorted(one.expensively_compute_partition_keys()) if one.is_partitioned else []
            for name, one in asked.items()
        }

    def requests(self):
        """What is requested when a look sees the same as the one before."""
        self.look()
        return self.look()

    def made(self, noun, keys=None):
        """Say that partitions were materialized."""
        for one in noun.cadence.keys() if keys is None and noun.cadence else keys or [None]:
            self.instance.report_runless_asset_event(dg.AssetMaterialization(key(noun), partition=one))

    def checked(self, noun, partition, *, passed, name=CHECK):
        """Say what a blocking check found."""
        self.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=key(noun), check_name=name, passed=passed, blocking=True, partition=partition, metadata={}
            )
        )


@pytest.fixture
def daemon():
    with dg.DagsterInstance.ephemeral() as instance:
        yield Daemon(instance)


def blocking(noun):
    """The blocking checks of an asset, as Dagster has them."""
    made = next(one for one in project_assets(shop) if one.key == key(noun))
    return {spec.name for spec in made.check_specs if spec.blocking}


def test_what_reads_nothing_yet_waits_and_sources_are_left_to_others(daemon):
    assert daemon.requests() == {}
    assert [daemon.defs.resolve_asset_graph().get(key(one)).automation_condition for one in (orders, customers)] == [
        None,
        None,
    ]


def test_the_newest_partitions_are_made_once_all_that_they_read_is_there(daemon):
    daemon.made(orders)
    assert daemon.look() == {}  # the first look leaves it to whoever is asking already
    asked = daemon.look()
    assert asked == {
        "order_history": order_history.cadence.keys()[-14:],
        "order_weeks": order_weeks.cadence.keys()[-2:],
        "lapsed": lapsed.cadence.keys()[-2:],
    }
    for noun in (order_history, order_weeks, lapsed):
        daemon.made(noun)
    assert daemon.requests() == {}  # the view has a helper, and that is not there
    daemon.made(customers)
    assert daemon.requests() == {"customer_profile": []}
    daemon.made(customer_profile)
    assert daemon.requests() == {"lapse_view": lapsed.cadence.keys()[-2:]}


def test_a_bad_day_of_seven_holds_the_week_back_and_no_other_week(daemon):
    assert CHECK in blocking(orders)
    daemon.made(orders)
    daemon.checked(orders, DAY, passed=False)
    for day in SHOP_DAYS:
        if str(day) != DAY:
            daemon.checked(orders, str(day), passed=True)
    asked = daemon.requests()
    assert asked["order_weeks"] == ["2024-02-19"]  # the week before; that of February 26 reads the bad day
    assert DAY not in asked["order_history"]
    assert str(FIRST + timedelta(days=58)) in asked["order_history"]
    assert "lapsed" in asked  # its newest moments have horizons that end before that day


def test_what_was_refused_last_is_not_read_although_an_earlier_delivery_is_there(landed):
    daemon = Daemon(landed.instance)
    assert landed.materialize([orders], span=(str(SHOP_DAYS[0]), str(SHOP_DAYS[-1]))).success
    good = bought_on(DAY)
    landed.deliver(DAY, [*good, good[0]])
    assert not landed.materialize([orders], partition=DAY).success
    assert DAY not in daemon.requests()["order_history"]
    landed.deliver(DAY, good)
    assert landed.materialize([orders], partition=DAY).success
    assert DAY in daemon.requests()["order_history"]


def test_a_missing_day_holds_back_what_reads_it(daemon):
    daemon.made(orders, [str(day) for day in SHOP_DAYS if str(day) != DAY])
    asked = daemon.requests()
    assert DAY not in asked["order_history"]
    assert asked["order_history"][0] == order_history.cadence.keys()[-14]
    assert asked["order_weeks"] == order_weeks.cadence.keys()[-2:-1]


def test_what_is_being_made_is_not_asked_for_again(daemon):
    daemon.made(orders)
    assert DAY in daemon.requests()["order_history"]
    job = daemon.defs.resolve_implicit_global_asset_job_def().get_subset(asset_selection={key(order_history)})
    daemon.instance.create_run_for_job(job, tags={"dagster/partition": DAY}, status=dg.DagsterRunStatus.STARTED)
    assert DAY not in daemon.requests()["order_history"]


def test_scores_wait_for_a_model_and_not_for_that_of_the_newest_cutoff():
    with dg.DagsterInstance.ephemeral() as instance:
        daemon = Daemon(instance, replace(shop, outputs=(lapse, lapse_scores)))
        for noun in (orders, customers, order_history, order_weeks, lapsed, customer_profile):
            daemon.made(noun)
        daemon.made(lapse_view, lapsed.cadence.keys())
        assert daemon.requests() == {}
        daemon.made(lapse, lapsed.cadence.keys()[-2:-1])
        assert daemon.requests() == {"lapse_scores": lapse_scores.cadence.keys()[-2:]}


def test_a_fresh_project_does_not_ask_for_all_of_history():
    years = Daily(first=date(2021, 1, 1), last=date(2023, 12, 31))
    group = replace(order_history, source=replace(orders, cadence=years), cadence=years)
    assert newest(group) == years.keys()[-DAYS:]
    assert newest(customer_profile) is None


def test_a_label_is_due_when_its_horizon_is_over():
    open_end = replace(orders, cadence=Daily(first=FIRST))
    label = replace(lapsed, source=open_end, cadence=Weekly(first=lapsed.cadence.first))
    loaded = date.fromisoformat(open_end.cadence.keys()[-1]) + timedelta(days=1)
    ends = [label.cadence.day(one) + timedelta(days=7) for one in newest(label)]
    assert ends[-1] <= loaded < ends[-1] + timedelta(days=7)
    assert newest(label)[-1] < label.cadence.keys()[-1]
    assert newest(replace(lapse_view, label=label)) == newest(label)


def test_it_runs_only_where_the_project_says_so():
    assert automation_sensor(shop).default_status is dg.DefaultSensorStatus.STOPPED
    running = SimpleNamespace(automation=SimpleNamespace(running=True))
    assert default_status(running) is dg.DefaultSensorStatus.RUNNING
    assert default_status(SimpleNamespace(automation=SimpleNamespace(running=False))) is dg.DefaultSensorStatus.STOPPED


def test_a_look_of_the_sensor_asks_for_runs_that_say_why(daemon):
    daemon.made(orders, [str(day) for day in SHOP_DAYS[:-1]])
    days = order_history.cadence.keys()
    daemon.made(order_history, days[:-2])
    daemon.made(order_weeks, order_weeks.cadence.keys()[:-1])
    daemon.made(lapsed)
    sensor, cursor = automation_sensor(shop), None
    for _ in range(2):
        context = dg.build_sensor_context(
            instance=daemon.instance, repository_def=daemon.defs.get_repository_def(), cursor=cursor
        )
        tick = sent(sensor.evaluate_tick(context))
        cursor = tick.cursor
    (request,) = tick.run_requests
    assert (request.partition_key, request.asset_selection) == (days[-2], [key(order_history)])
    assert request.tags[REASON_TAG] == "new_data"
    assert "missing partitions of the newest ones" in request.tags[DETAIL_TAG]
