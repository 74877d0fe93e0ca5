import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.statistics import measure
from platform_ml.engine.statistics_diff import compare, compare_versions, merged
from platform_ml.spec.errors import PlatformError
from platform_ml_tests.engine.shop import DAYS, customers, deliver, make, orders


def of(**columns):
    rows = pa.table({"_partition": ["a"] * len(next(iter(columns.values()))), **columns})
    return measure(rows, ["a"], compute=DuckDB(threads=1))[0]["a"]


def test_only_what_differs_is_named():
    before = of(same=[1, 2, 3], amount=[1.0, 2.0, 3.0], brand=["a", "a", "b"], gone=[1, 1, 1])
    after = of(same=[1, 2, 3], amount=[7.0, 8.0, 9.0], brand=["b", "b", "b"], new=[1, 1, 1])
    found = {one.column: one for one in compare(before, after)}
    assert list(found) == ["amount", "brand", "new", "gone"]
    assert found["amount"].distance > 0.25
    assert 0 < found["brand"].distance < 1
    assert (found["new"].before, found["gone"].after, found["gone"].distance) == (None, None, None)
    assert compare(before, before) == []


def lost(bought):
    """An order of the first thirty days."""
    return next(order for order in bought if order.day in DAYS[:30])


@pytest.fixture
def versions(work, bought):
    """Thirty days; then one of them loses an order; then ten days more."""
    days = [str(day) for day in DAYS[:40]]
    deliver(work, bought)
    made = [make(work, orders, days[:30])]
    deliver(work, [order for order in bought if order != lost(bought)])
    made.append(make(work, orders, [str(lost(bought).day)], token=2))
    made.append(make(work, orders, days[30:], token=3))
    return [one[-1].snapshot.version for one in made]


def test_a_changed_partition_is_told_from_all_others(work, versions, bought):
    found = compare_versions(orders, versions[0], versions[1], work=work)
    (changed,) = found.changed
    assert (changed.partition, changed.before - changed.after) == (str(lost(bought).day), 1)
    assert (found.added, found.removed, found.same) == ({}, {}, 29)
    names = {one.column for one in changed.columns}
    assert {"order_id", "customer_id", "amount"} <= names
    assert {one.column for one in found.columns} <= names
    assert found.before == f"shop/orders, version {versions[0]}"


def test_added_partitions_are_held_beside_what_was_there(work, versions, bought):
    found = compare_versions(orders, versions[1], versions[2], work=work)
    assert (list(found.added), found.changed, found.same) == ([str(day) for day in DAYS[30:40]], [], 30)
    amount = next(one for one in found.columns if one.column == "amount")
    paid = [float(one.amount) for one in bought if one.day in DAYS[30:40]]
    assert amount.after.mean == pytest.approx(sum(paid) / len(paid))
    assert (amount.after.minimum, amount.after.maximum) == (min(paid), max(paid))
    assert 0 <= amount.distance < 0.5
    assert compare_versions(orders, versions[2], versions[1], work=work).removed == found.added


def test_the_same_version_differs_in_nothing(work, versions):
    found = compare_versions(orders, versions[2], versions[2], work=work)
    assert (found.added, found.removed, found.changed, found.columns, found.same) == ({}, {}, [], [], 40)


def test_one_partition_alone(work, versions, bought):
    day = str(lost(bought).day)
    one = compare_versions(orders, versions[0], versions[2], work=work, only=day)
    assert ([change.partition for change in one.changed], one.added, one.same) == ([day], {}, 0)
    with pytest.raises(PlatformError, match=r"there is no partition '2024-01-1x'\. Did you mean"):
        compare_versions(orders, versions[0], versions[1], work=work, only="2024-01-1x")
    with pytest.raises(PlatformError, match="there is no version 99"):
        compare_versions(orders, 1, 99, work=work)
    with pytest.raises(PlatformError, match="there is no version 1"):
        compare_versions(customers, 1, 1, work=work)


def test_several_partitions_are_as_if_they_were_one():
    parts = [of(amount=[1.0, 2.0, None], brand=["a", "a", "b"]), of(amount=[5.0, 9.0], brand=["b", None])]
    whole = of(amount=[1.0, 2.0, None, 5.0, 9.0], brand=["a", "a", "b", "b", None])
    found = merged(parts)
    for name in ("nulls", "minimum", "maximum", "top"):
        assert getattr(found.columns["amount"], name) == getattr(whole.columns["amount"], name)
    assert found.columns["brand"].top == {"a": 2, "b": 2}
    assert found.columns["amount"].mean == pytest.approx(whole.columns["amount"].mean)
    assert (found.rows, found.sampled, found.columns["brand"].nulls) == (5, 5, 1)
    assert merged([of(amount=[None, None])]).columns["amount"].mean is None
