"""The list of what was not let in as an asset, and fixes that a run takes in."""

from dataclasses import replace

import dagster as dg
import pytest

from platform_ml.engine.ports import WHOLE
from platform_ml.orchestration.build import definitions
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.errors import DeclarationError
from platform_ml_tests.orchestration.shop import (
    DAYS,
    assets,
    bought_on,
    customers,
    failures,
    lapse,
    orders,
    shop,
    swapped,
)

DAY, NEXT = str(DAYS[9]), str(DAYS[10])
LIST, ORDERS, CUSTOMERS = (dg.AssetKey(["shop", name]) for name in ("quarantine", "orders", "customers"))
forgiving = swapped(shop, orders, replace(orders, max_rejected_share=1.0))


def run(checkout, key, **options):
    return dg.materialize(
        assets(forgiving),
        selection=[key],
        instance=checkout.instance,
        resources={"platform": checkout.platform},
        raise_on_error=False,
        **options,
    )


def spoilt(checkout, count=2):
    """The first orders of the day have a negative amount; returns all of them as they should be."""
    found = bought_on(DAY)
    checkout.deliver(DAY, [replace(one, amount=-one.amount) if n < count else one for n, one in enumerate(found)])
    return found


def shown(result):
    assert result.success, failures(result)
    (made,) = result.asset_materializations_for_node("shop__quarantine")
    return made.metadata


def fixes(checkout, *orders, name="fixes.csv", of="orders"):
    """A run config with a file of fixes, written unless it is to be missing."""
    file = checkout.folder / name
    if orders:
        lines = [f"{n},{o.order_id},{o.customer_id},{o.amount},{o.ordered_at}" for n, o in enumerate(orders)]
        file.write_text("\n".join(["row_number,order_id,customer_id,amount,ordered_at", *lines, ""]))
    return {"ops": {f"shop__{of}": {"config": {"fixes": str(file)}}}}


def test_it_is_below_every_source_of_its_project():
    graph = definitions([shop], PlatformResource()).resolve_asset_graph()
    assert graph.get(LIST).parent_keys == {ORDERS, CUSTOMERS}
    assert not graph.get(LIST).is_partitioned


def test_where_nothing_was_read_the_list_is_empty(landed):
    found = shown(run(landed, LIST))
    assert {name: found[name].value for name in ("rejected", "whole_file", "fixed_waits", "replayed")} == {
        "rejected": 0,
        "whole_file": 0,
        "fixed_waits": 0,
        "replayed": 0,
    }


def test_rows_are_listed_fixed_and_let_in_by_a_run_with_a_config(landed):
    right = spoilt(landed)
    assert run(landed, ORDERS, partition_key=DAY).success
    before = shown(run(landed, LIST))
    assert (before["rejected"].value, before["rejected/orders"].value) == (2, 2)
    assert f"| orders | {DAY} | rejected | 2 | amount is below 0 |" in before["kept"].value

    result = run(landed, ORDERS, partition_key=DAY, run_config=fixes(landed, right[0]))
    assert result.success, failures(result)
    assert landed.work.read(orders, [DAY]).partitions[DAY].rows == len(right) - 1
    after = shown(run(landed, LIST))
    assert (after["rejected"].value, after["replayed"].value, after["fixed_waits"].value) == (1, 1, 0)
    assert f"| orders | {DAY} | replayed | 1 | row 0 |" in after["kept"].value


def test_fixes_are_of_one_partition(landed):
    tags = {"dagster/asset_partition_range_start": DAY, "dagster/asset_partition_range_end": NEXT}
    result = run(landed, ORDERS, tags=tags, run_config=fixes(landed))
    assert not result.success
    assert "fixes.csv is about one partition, and 2 are chosen" in failures(result)


@pytest.mark.parametrize(("key", "options"), [(ORDERS, {"partition_key": DAY}), (CUSTOMERS, {})])
def test_fixes_that_are_not_there_change_nothing(landed, key, options):
    name = key.path[-1]
    result = run(landed, key, run_config=fixes(landed, name="nowhere.csv", of=name), **options)
    assert not result.success
    assert "nowhere.csv holds no fixes" in failures(result)
    assert landed.work.platform.tables.snapshot(f"shop/{name}") is None


def test_a_source_without_partitions_needs_no_config(landed):
    assert run(landed, CUSTOMERS).success
    assert list(landed.work.read(customers, []).partitions) == [WHOLE]


def test_its_name_is_taken():
    group = lapse.card.evaluation.model.dataset.view.groups[0]
    with pytest.raises(DeclarationError, match=r"'quarantine' lists what was rejected\. Rename yours"):
        replace(shop, outputs=(replace(group, name="quarantine"),))
