import math
import statistics
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine import distribution
from platform_ml.engine.distribution import kind_of, shifts, stability_index

COMPUTE = DuckDB(memory="200MB", threads=2)


def shift(before, after, sql="DOUBLE", kind=None):
    inputs = {"before": pa.table({"x": pa.array(before, kind)}), "after": pa.table({"x": pa.array(after, kind)})}
    (found,) = shifts(inputs, {"x": sql}, COMPUTE)
    return found


def test_the_spread_of_numbers_is_that_of_plain_python():
    draw = np.random.default_rng(1)
    before, after = (draw.normal(at, 2, 500).tolist() for at in (0, 1))
    found = shift([*before, None, math.nan], after)
    numbers = found.before.numbers
    assert (found.before.rows, found.before.nulls, found.after.nulls) == (502, 2, 0)
    assert found.before.null_share == 2 / 502
    assert numbers["mean"] == pytest.approx(statistics.mean(before))
    assert numbers["std"] == pytest.approx(statistics.stdev(before))
    assert (numbers["min"], numbers["max"]) == (min(before), max(before))
    for name, at in (("p5", 5), ("p50", 50), ("p95", 95)):
        assert numbers[name] == pytest.approx(np.percentile(before, at))


def test_the_stability_index_is_that_of_numpy_bins():
    draw = np.random.default_rng(2)
    before, after = draw.normal(0, 1, 400), draw.normal(0.5, 1.5, 300)
    edges = np.quantile(before, [n / 10 for n in range(1, 10)])
    shares = [np.bincount(np.searchsorted(edges, x), minlength=10) / len(x) for x in (before, after)]
    expected = float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))
    assert shift(before.tolist(), after.tolist()).psi == pytest.approx(expected)


def test_equal_columns_do_not_differ():
    assert shift([1.0, 2.0, None], [2.0, None, 1.0]).psi == 0
    assert shift(["a", None], [None, "a"], "VARCHAR", pa.string()).psi == 0
    assert shift([1.0] * 50, [1.0] * 80).psi == 0


def test_nulls_alone_are_a_difference():
    assert shift([1.0] * 10, [1.0] * 5 + [None] * 5).psi > 1


def test_columns_without_any_value_or_row():
    found = shift([None, None], [None], kind=pa.float64())
    assert (found.psi, found.before.numbers["mean"], found.before.numbers["p50"]) == (0, None, None)
    assert shift([1.0], [], kind=pa.float64()).psi is None
    assert shift([], ["a"], "VARCHAR", pa.string()).psi is None


def test_the_top_values_of_either_side_and_the_rest():
    before = ["a"] * 50 + [f"rare{n}" for n in range(30)]
    after = ["a"] * 10 + ["new"] * 40
    found = shift(before, after, "VARCHAR", pa.string())
    assert found.before.top["a"] == 50 / 80
    assert (found.before.top["new"], found.after.top["new"]) == (0, 40 / 50)
    assert len(found.before.top) <= 2 * distribution.TOP
    assert sum(found.before.top.values()) < 1
    assert found.psi > 0.25


def test_booleans_are_categories_and_times_have_ends():
    found = shift([True, True, False, None], [True], "BOOLEAN", pa.bool_())
    assert found.before.top == {"true": 0.5, "false": 0.25}
    moments = [datetime(2024, 1, n, tzinfo=UTC) for n in (1, 2)]
    found = shift(moments, [None], "TIMESTAMPTZ", pa.timestamp("us", "UTC"))
    assert (found.before.least[:10], found.before.most[:10], found.psi) == ("2024-01-01", "2024-01-02", None)
    assert (found.after.least, found.after.nulls) == ("", 1)


def test_more_columns_than_one_query_looks_at(monkeypatch):
    monkeypatch.setattr(distribution, "CHUNK", 2)
    rows = pa.table({f"c{n}": [float(n), 2.0 * n] for n in range(5)})
    found = shifts({"before": rows, "after": rows}, dict.fromkeys(rows.column_names, "DOUBLE"), COMPUTE)
    assert [one.before.numbers["mean"] for one in found] == [0.0, 1.5, 3.0, 4.5, 6.0]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [("BIGINT", "number"), ("DECIMAL(9,2)", "number"), ("TIMESTAMPTZ", "time"), ("VARCHAR", "category"),
     ("BOOLEAN", "category"), ("INTERVAL", "category")],
)  # fmt: skip
def test_kinds(sql, kind):
    assert kind_of(sql) == kind


def test_an_index_of_nothing():
    assert stability_index([], []) is None
    assert stability_index([1, 0], [0, 1]) == pytest.approx(2 * (1 - 1e-4) * math.log(1e4))
