"""Every partition has its own verdict, and a blocking one keeps its data out."""

from dataclasses import replace
from datetime import date

import dagster as dg
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Status

from platform_ml.checks import References, Rule
from platform_ml.engine import dataset_checks, feature_group, source
from platform_ml.engine.audit import REJECTED, VOLUME
from platform_ml.engine.dataset_checks import BALANCED
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.validation import reported
from platform_ml.spec.waiver import Waiver
from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    DAYS,
    assets,
    bought_on,
    customer_profile,
    customers,
    failures,
    key,
    lapse,
    lapse_card,
    lapse_dataset,
    lapse_evaluation,
    lapse_model,
    lapsed,
    order_history,
    orders,
    shop,
    swapped,
)

DAY = "2024-01-10"
SPAN = [str(day) for day in DAYS[8:11]]


def recorded(checkout, noun, check, partition):
    """What Dagster has stored of one check of one partition, newest first."""
    return checkout.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(key(noun), check.name), limit=100, partition_filter=PartitionKeyFilter(key=partition)
    )


def status(checkout, noun, check, partition):
    return [record.status for record in recorded(checkout, noun, check, partition)]


def latest(checkout, noun, check, partition):
    return recorded(checkout, noun, check, partition)[0].event.dagster_event.asset_check_evaluation_data


def started(result):
    return {event.step_key for event in result.all_events if event.is_step_start}


def materialized(checkout, noun):
    return checkout.instance.get_materialized_partitions(key(noun))


def spoil(checkout, day):
    """Every order of the day has a negative amount."""
    checkout.deliver(day, [replace(order, amount=-order.amount) for order in bought_on(day)])


def test_one_partition_has_every_check(landed):
    assert landed.materialize([orders], span=(str(DAYS[0]), DAY)).success
    assert landed.materialize([orders, order_history], partition=DAY).success
    for noun, checks in ((orders, source.checks(orders)), (order_history, feature_group.checks(order_history))):
        for check in checks:
            assert status(landed, noun, check, DAY)[:1] == [Status.SUCCEEDED], check.name
            assert latest(landed, noun, check, DAY).blocking == check.blocking
            assert latest(landed, noun, check, DAY).target_materialization_data is not None


def test_a_range_has_every_check_of_every_partition(landed):
    assert landed.materialize([orders], span=(SPAN[0], SPAN[-1])).success
    for check in source.checks(orders):
        for day in SPAN:
            assert status(landed, orders, check, day) == [Status.SUCCEEDED], (check.name, day)
        # And what holds for the run as a whole.
        assert status(landed, orders, check, None) == [Status.SUCCEEDED]
        assert latest(landed, orders, check, None).description == "3 of 3 partitions passed."


def test_a_table_without_partitions_has_every_check(landed):
    assert landed.materialize([customers]).success
    for check in source.checks(customers):
        assert status(landed, customers, check, None) == [Status.SUCCEEDED], check.name


def test_nothing_is_left_planned(built):
    checks = [check for made in assets(shop) if isinstance(made, dg.AssetsDefinition) for check in made.check_keys]
    planned = [
        (check.asset_key.to_user_string(), check.name, record.partition)
        for check in checks
        for record in built.instance.event_log_storage.get_asset_check_execution_history(
            check, limit=10_000, status={Status.PLANNED}
        )
    ]
    assert checks
    assert planned == []


def test_a_bad_partition_fails_only_its_own_check(landed):
    spoil(landed, DAY)
    result = landed.materialize([orders, order_history], span=(SPAN[0], SPAN[-1]))
    assert not result.success
    assert [status(landed, orders, REJECTED, day) for day in SPAN] == [
        [Status.FAILED if day == DAY else Status.SUCCEEDED] for day in SPAN
    ]
    found = latest(landed, orders, REJECTED, DAY)
    assert found.blocking
    assert found.severity == dg.AssetCheckSeverity.ERROR
    assert "amount is below 0" in found.description
    assert f"{DAY}.parquet" in found.description


def test_a_failed_blocking_check_keeps_everything_out(landed):
    spoil(landed, DAY)
    for result in (
        landed.materialize([orders, order_history], partition=DAY),
        landed.materialize([orders, order_history], span=(SPAN[0], SPAN[-1])),
    ):
        assert not result.success
        assert landed.instance.get_run_by_id(result.run_id).status == dg.DagsterRunStatus.FAILURE
        assert started(result) == {"shop__orders"}
        assert f"rejected, partition {DAY}: " in failures(result)
        assert "Earlier data is as it was." in failures(result)
    assert landed.work.platform.tables.snapshot("shop/orders") is None
    assert materialized(landed, orders) == set()


def test_a_later_pass_of_another_partition_does_not_clear_a_failure(landed):
    spoil(landed, DAY)
    landed.materialize([orders], partition=DAY)
    assert landed.materialize([orders], partition=SPAN[-1]).success
    assert status(landed, orders, REJECTED, DAY) == [Status.FAILED]
    assert materialized(landed, orders) == {SPAN[-1]}

    landed.deliver(DAY, bought_on(DAY))
    assert landed.materialize([orders], partition=DAY).success
    assert status(landed, orders, REJECTED, DAY) == [Status.SUCCEEDED, Status.FAILED]
    assert materialized(landed, orders) == {DAY, SPAN[-1]}


def test_a_warning_stops_nothing(landed):
    wary = swapped(shop, orders, replace(orders, expected_rows=(1_000, 2_000)))
    assert landed.materialize([orders], span=(str(DAYS[0]), DAY), project=wary).success
    result = landed.materialize([orders, order_history], partition=DAY, project=wary)
    assert result.success
    assert started(result) == {"shop__orders", "shop__order_history"}
    found = latest(landed, orders, VOLUME, DAY)
    assert (found.passed, found.blocking, found.severity) == (False, False, dg.AssetCheckSeverity.WARN)
    assert "between 1,000 and 2,000 are declared as usual" in found.description
    assert DAY in materialized(landed, order_history)


def test_a_dataset_that_cannot_be_split_is_not_published(built):
    early = lapsed.cadence.keys()[1]
    result = built.materialize([lapse_dataset, lapse_model], partition=early)
    assert not result.success
    assert started(result) == {"shop__lapse_dataset"}
    assert "splits, partition 2024-01-22: Rows: " in failures(result)
    assert status(built, lapse_dataset, BALANCED, early) == [Status.FAILED]
    assert status(built, lapse_dataset, BALANCED, CUTOFF) == [Status.SUCCEEDED]
    assert materialized(built, lapse_dataset) == {CUTOFF}
    place = built.work.place("datasets", lapse_dataset, early)
    assert built.work.platform.artifacts.newest(place) is None


def test_a_range_of_datasets_has_every_check_of_every_cutoff(built):
    cutoffs = lapsed.cadence.keys()[-2:]
    result = built.materialize([lapse_dataset], span=cutoffs)
    assert result.success, failures(result)
    for check in dataset_checks.checks(lapse_dataset):
        assert [status(built, lapse_dataset, check, cutoff)[0] for cutoff in cutoffs] == [Status.SUCCEEDED] * 2
    assert materialized(built, lapse_dataset) == set(cutoffs)


def test_a_table_without_partitions_may_run_along_with_partitions(landed):
    for options in ({"partition": DAY}, {"span": (SPAN[0], SPAN[-1])}):
        result = landed.materialize([customers, customer_profile, orders], **options)
        assert result.success, failures(result)
    for noun in (customers, customer_profile):
        assert list(landed.work.read(noun, []).partitions) == [WHOLE]
        assert materialized(landed, noun) == set()
        for check in (*source.checks(noun),) if noun is customers else feature_group.checks(noun):
            assert status(landed, noun, check, None)[0] == Status.SUCCEEDED


def test_only_a_single_partition_has_its_content_as_data_version(landed):
    landed.materialize([orders], span=(SPAN[0], SPAN[-1]))
    landed.materialize([orders], partition=SPAN[0])
    versions = [
        landed.instance.fetch_materializations(dg.AssetRecordsFilter(key(orders), asset_partitions=[day]), limit=1)
        .records[0]
        .asset_materialization.tags["dagster/data_version"]
        for day in SPAN
    ]
    content = {day: state.content for day, state in landed.work.read(orders, SPAN).partitions.items()}
    assert versions[0] == content[SPAN[0]]
    assert not set(versions[1:]) & set(content.values())


def test_a_failed_gate_leaves_a_card_and_no_version(built):
    gate = lapse.gates[0]
    strict = swapped(shop, gate, replace(gate, limit=1.0))
    path = [lapse_model, lapse_evaluation, lapse_card, lapse]
    result = built.materialize(path, partition=CUTOFF, project=strict)
    assert not result.success
    assert started(result) == {"shop__lapse_model", "shop__lapse_evaluation", "shop__lapse_card"}
    assert status(built, lapse_card, gate, CUTOFF) == [Status.FAILED]
    assert materialized(built, lapse_card) == {CUTOFF}

    # The check stopped its own run only; the registration holds by itself.
    alone = built.materialize([lapse], partition=CUTOFF, project=strict)
    assert not alone.success
    assert "roc_auc" in failures(alone)
    assert materialized(built, lapse) == set()
    assert built.work.platform.registry.find("lapse", {}) is None

    # Somebody answers for it: the check still fails, but only warns, and the version says who.
    waiver = Waiver(gate=gate.name, author="ada", reason="A test.", expires=date(2999, 1, 1))
    (refused,) = strict.outputs
    waived = replace(shop, outputs=(replace(refused, waivers=(waiver,)),))
    result = built.materialize([lapse_card, lapse], partition=CUTOFF, project=waived)
    assert result.success, failures(result)
    found = latest(built, lapse_card, gate, CUTOFF)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.description.startswith("Waived by ada until 2999-01-01: A test.")
    numbers = {name: found.metadata[name].value for name in ("value", "limit", "low", "high", "rows")}
    assert numbers["low"] < numbers["value"] < numbers["high"] < numbers["limit"] == 1.0
    assert isinstance(found.metadata["value"], dg.FloatMetadataValue)
    assert isinstance(found.metadata["rows"], dg.IntMetadataValue)
    tags = built.work.platform.registry.promoted("lapse", "champion")
    assert tags["waiver.roc_auc_at_least"] == "waived by ada until 2999-01-01: A test."
    assert found.metadata["model"].value == tags["model_digest"][:12]
    assert found.metadata["policy"].value == tags["policy_digest"][:12]


def test_declared_checks_are_asset_checks(landed):
    """A warning lets the partition in, a blocking check keeps it out, and what only a check reads comes first."""
    declared = (References("customer_id", customers), Rule("cheap", "amount < 0", blocking=True))
    linked = swapped(shop, orders, replace(orders, checks=declared[:1]))
    result = landed.materialize([customers, orders], span=(SPAN[0], SPAN[-1]), project=linked)
    assert result.success, failures(result)
    check = next(one for one in reported(replace(orders, checks=declared)) if not one.blocking)
    assert status(landed, orders, check, DAY) == [Status.FAILED]
    assert latest(landed, orders, check, DAY).severity == dg.AssetCheckSeverity.WARN

    strict = swapped(shop, orders, replace(orders, checks=declared))
    stopped = landed.materialize([orders], partition=DAY, project=strict)
    assert not stopped.success
    assert f"cheap, partition {DAY}: " in failures(stopped)
