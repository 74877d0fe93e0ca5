import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.statistics import measure
from platform_ml.engine.statistics_diff import compare, compare_versions
from platform_ml.spec.errors import PlatformError
from platform_ml_tests.engine.shop import deliver, make, orders

OTHER = "2024-01-10"


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


def test_two_versions_of_a_partition(work, bought):
    deliver(work, bought)
    day = bought[0].day
    first = make(work, orders, [str(day)])[0].snapshot.version
    deliver(work, [order for order in bought if order != bought[0]])
    second = make(work, orders, [str(day)], token=2)[0].snapshot.version
    assert second > first
    found = {one.column: one for one in compare_versions(orders, str(day), first, second, work=work)}
    assert {"order_id", "customer_id", "amount"} <= set(found)
    with pytest.raises(PlatformError, match="no statistics of partition '2024-01-10'"):
        compare_versions(orders, OTHER, first, second, work=work)
