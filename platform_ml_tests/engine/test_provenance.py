from dataclasses import replace

from platform_ml.engine.provenance import tables_used
from platform_ml.features import Count
from platform_ml_tests.engine.shop import contents, lapse_view, lapsed, make, order_history

KEYS = lapsed.cadence.keys()


def used(work, view, keys):
    version = work.platform.tables.snapshot(work.table(view)).version
    return {table["table"].removeprefix("shop/"): table for table in tables_used(view, version, keys, work)}


def test_every_table_down_to_the_sources_upstream_first(built):
    found = list(used(built, lapse_view, KEYS))
    assert found[-1] == "lapse_view"
    assert set(found[:-1]) == {"orders", "order_history", "order_weeks", "customers", "customer_profile", "lapsed"}
    assert found.index("orders") < found.index("order_history") < found.index("lapse_view")
    assert found.index("customers") < found.index("customer_profile")


def test_only_the_partitions_that_were_read(built):
    found = used(built, lapse_view, ["2024-01-31"])
    partitions = {name: table["partitions"] for name, table in found.items()}
    assert partitions["lapse_view"] == partitions["lapsed"] == ("2024-01-31",)
    assert partitions["order_history"] == ("2024-01-30",)
    assert partitions["order_weeks"] == ("2024-01-22",)
    assert partitions["customers"] == partitions["customer_profile"] == ("all",)
    # Who was seen before, and the two weeks of the outcome.
    assert (partitions["orders"][0], partitions["orders"][-1], len(partitions["orders"])) == (
        "2024-01-01",
        "2024-02-13",
        44,
    )


def test_versions_rows_and_content_are_those_of_the_tables(built):
    for name, table in used(built, lapse_view, KEYS).items():
        snapshot = built.platform.tables.snapshot(f"shop/{name}")
        assert table["version"] == snapshot.version
        assert table["rows"] == sum(snapshot.partitions[key].rows for key in table["partitions"])
    one, other = (used(built, lapse_view, [key])["lapsed"]["content"] for key in KEYS[:2])
    assert one != other


def test_what_was_read_is_pinned_and_not_what_came_later(shop):
    before = used(shop, lapse_view, KEYS)
    history, old = (
        replace(order_history, features=(*order_history.features, Count(days=3))),
        contents(shop, order_history),
    )
    make(shop, history, token=5)
    assert contents(shop, order_history) != old
    assert used(shop, lapse_view, KEYS) == before
    make(shop, lapse_view, token=6)
    after = used(shop, lapse_view, KEYS)
    assert after["order_history"]["version"] > before["order_history"]["version"]
    assert after["lapsed"] == before["lapsed"]
