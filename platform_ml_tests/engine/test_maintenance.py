from dataclasses import replace
from datetime import date

import pytest

from platform_ml.engine.maintenance import maintain, pins, tables
from platform_ml.engine.provenance import behind
from platform_ml.engine.training_dataset import materialize_training_dataset
from platform_ml.features import Count
from platform_ml.spec.errors import StoreError
from platform_ml_tests.engine.shop import (
    CUTOFF,
    SHOP,
    deliver,
    invented,
    keys_of,
    lapse_dataset,
    lapse_view,
    lapsed,
    make,
    make_all,
    order_history,
    order_weeks,
    orders,
    work_in,
)

DAY = date(2024, 2, 20)


def build(work):
    return materialize_training_dataset(lapse_dataset, CUTOFF, work=work, made_by={}).artifact


def run(work, **options):
    return {
        kept.table: kept
        for kept in maintain(SHOP, work=work, upkeep=work.platform.tables, **({"keep_days": 0} | options))
    }


def freed(work, **options):
    return {table: kept.vacuumed.files for table, kept in run(work, **options).items() if kept.vacuumed.files}


def change(work, seed, token):
    deliver(work, invented(seed=seed), [DAY])
    make(work, orders, [str(DAY)], token)


def verify(work, noun, version, keys):
    store = work.platform.tables
    store.verify(store.snapshot(f"shop/{noun.name}", version), keys)


def test_every_table_of_the_project_is_kept_in_order(shop):
    assert list(run(shop)) == tables(SHOP, shop)
    names = {"orders", "customers", "order_history", "order_weeks", "customer_profile", "lapsed", "lapse_view"}
    assert set(run(shop)) == {f"shop/{name}" for name in {*names, "orders_rejected", "customers_rejected"}}
    assert freed(shop) == {}


def test_what_was_replaced_is_freed_but_not_what_the_newest_was_made_of(shop):
    for token in (5, 6):
        change(shop, token, token)
    old = shop.platform.tables.snapshot("shop/orders").version - 1
    # Groups and labels still stem from the first delivery of the day; nothing stems from the second one.
    assert freed(shop) == {"shop/orders": 1}
    with pytest.raises(StoreError, match="was vacuumed on"):
        verify(shop, orders, old, [str(DAY)])
    verify(shop, orders, old - 1, [str(DAY)])
    for noun in (order_history, order_weeks, lapsed, lapse_view):
        make(shop, noun, token=7)
    assert freed(shop)["shop/order_history"] > 20
    assert freed(shop) == {}
    newest = shop.platform.tables.snapshot("shop/lapse_view")
    for noun, version, keys in behind(lapse_view, newest.version, newest.partitions, shop):
        verify(shop, noun, version, keys)


def test_what_a_dataset_pins_stays_until_the_dataset_is_deleted(shop):
    artifact = build(shop)
    make_all(shop, invented(seed=9), token=5)
    pinned = {(used["table"], used["version"]): used["partitions"] for used in artifact.record["tables"]}
    assert freed(shop) == {}
    for (table, version), keys in pinned.items():
        shop.platform.tables.verify(shop.platform.tables.snapshot(table, version), keys)
    for file in artifact.folder.iterdir():
        file.unlink()
    assert freed(shop)["shop/orders"] > 100


def test_versions_of_the_last_days_stay(shop):
    change(shop, 5, 5)
    change(shop, 6, 6)
    assert freed(shop, keep_days=7) == {}
    assert freed(shop, dry_run=True) == freed(shop, dry_run=True) == {"shop/orders": 1}


def test_a_project_whose_declaration_changed_keeps_all_that_its_tables_read(shop):
    history = replace(order_history, source=replace(orders, name="other_orders"), features=(Count(days=3),))
    project = replace(SHOP, outputs=(history,))
    change(shop, 5, 5)
    version = shop.platform.tables.snapshot("shop/orders").version
    found = pins(project, shop).of
    assert found["shop/order_history"] == {shop.platform.tables.snapshot("shop/order_history").version: None}
    assert found["shop/orders"] == {version - 1: None}
    precise = pins(SHOP, shop).of["shop/orders"]
    assert precise[version - 1] >= set(keys_of(orders)[:28])


def test_a_record_that_cannot_be_read_stops_everything(shop):
    artifact = build(shop)
    make_all(shop, invented(seed=9), token=5)
    files = set(shop.platform.tables.root.rglob("*"))
    (artifact.folder / "record.json").write_text("{")
    with pytest.raises(StoreError, match=r"record.json cannot be read"):
        run(shop)
    assert set(shop.platform.tables.root.rglob("*")) == files


def test_tables_that_were_never_written(tmp_path):
    assert {kept.compacted.partitions + kept.vacuumed.files for kept in run(work_in(tmp_path)).values()} == {0}
