import json
import math
import statistics as plain
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.statistics import CHUNK, LONGEST, SAMPLE, TOP, measure

AT = datetime(2024, 2, 1, 12, tzinfo=UTC)


def staged(parts, **kinds):
    """Partition → column → values."""
    names = [key for key, columns in sorted(parts.items()) for _ in next(iter(columns.values()))]
    first = next(iter(parts.values()))
    columns = {
        name: pa.array([value for _, part in sorted(parts.items()) for value in part[name]], kinds.get(name))
        for name in first
    }
    return pa.table({"_partition": pa.array(names, pa.string()), **columns})


def found(rows, keys=("a",), threads=2, **options):
    return measure(rows, keys, compute=DuckDB(threads=threads), **options)[0]


def test_numbers_against_plain_python():
    values = [3, 1, 4, 1, 5, 9, 2, 6, None]
    one = found(staged({"a": {"n": values}}, n=pa.int64()))["a"].columns["n"]
    known = [value for value in values if value is not None]
    assert (one.kind, one.nulls, one.minimum, one.maximum) == ("number", 1, 1.0, 9.0)
    assert one.mean == pytest.approx(plain.mean(known), rel=1e-8)
    assert one.std == pytest.approx(plain.stdev(known), rel=1e-8)
    assert (one.quantiles[0], one.quantiles[50], one.quantiles[100], len(one.quantiles)) == (1.0, 3.0, 9.0, 101)
    assert one.distinct == 7


def test_every_partition_has_its_own():
    both = found(staged({"a": {"n": [1.0, 3.0]}, "c": {"n": [10.0]}}), keys=("a", "b", "c"))
    assert {key: (one.rows, one.columns["n"].mean) for key, one in both.items()} == {
        "a": (2, 2.0),
        "b": (0, None),
        "c": (1, 10.0),
    }


def test_what_is_no_finite_number_is_counted_and_left_out():
    one = found(staged({"a": {"n": [1.0, math.nan, math.inf, -math.inf, None, 3.0]}}))["a"].columns["n"]
    assert (one.nulls, one.not_finite, one.minimum, one.maximum, one.mean) == (1, 3, 1.0, 3.0, 2.0)
    assert set(one.quantiles) == {1.0, 3.0}
    json.dumps(one.top | {"not_finite": one.not_finite})


def test_text_booleans_and_times():
    rows = staged(
        {
            "a": {
                "text": ["x", "y", "x", None],
                "yes": [True, True, False, None],
                "at": [AT, None, AT.replace(hour=1), AT],
            }
        }
    )
    columns = found(rows)["a"].columns
    assert dict(columns["text"].top) == {"x": 2, "y": 1}
    assert dict(columns["yes"].top) == {"true": 2, "false": 1}
    assert columns["text"].complete
    assert (columns["at"].kind, columns["at"].minimum, columns["at"].maximum, columns["at"].nulls) == (
        "time",
        "2024-02-01 01:00:00+00",
        "2024-02-01 12:00:00+00",
        1,
    )


def test_decimals_are_numbers():
    rows = staged({"a": {"d": [Decimal("0.10"), Decimal("0.20")]}}, d=pa.decimal128(9, 2))
    assert found(rows)["a"].columns["d"].mean == 0.15


def test_of_many_values_the_most_frequent_are_kept():
    values = [str(n) for n in range(TOP + 1)] + ["7", "x" * 1_000]
    one = found(staged({"a": {"text": values}}))["a"].columns["text"]
    assert len(one.top) == TOP
    assert next(iter(one.top.items())) == ("7", 2)
    assert not one.complete
    assert max(map(len, found(staged({"a": {"text": ["x" * 1_000]}}))["a"].columns["text"].top)) == LONGEST


def test_large_partitions_are_sampled_and_the_rest_is_exact():
    draw = np.random.default_rng(1)
    parts = {"a": {"n": draw.normal(size=5 * SAMPLE)}, "b": {"n": draw.normal(size=10)}}
    both = found(staged(parts), keys=("a", "b"))
    assert [(one.rows, one.sampled) for one in both.values()] == [(5 * SAMPLE, SAMPLE), (10, 10)]
    one = both["a"].columns["n"]
    assert one.mean == pytest.approx(parts["a"]["n"].mean(), rel=1e-8)
    assert one.maximum == pytest.approx(parts["a"]["n"].max(), rel=1e-8)
    assert one.quantiles[50] == pytest.approx(0, abs=0.06)
    assert one.distinct == pytest.approx(5 * SAMPLE, rel=0.1)


def test_threads_do_not_show():
    draw = np.random.default_rng(2)
    rows = staged({"a": {"n": draw.lognormal(8, 4, 300_000), "text": draw.choice(list("abcdefg"), 300_000)}})
    found_by = [found(rows, threads=threads) for threads in (1, 2, 4)]
    assert found_by[0] == found_by[1] == found_by[2]


def test_other_aggregates_come_along():
    rows = staged({"a": {"n": [1, 2, 3]}, "b": {"n": [4]}})
    _, more = measure(rows, ["a", "b", "c"], compute=DuckDB(threads=1), more={"low": "count_if(n < 3)", "x": "max(n)"})
    assert more == {"a": {"low": 2, "x": 3}, "b": {"low": 0, "x": 4}, "c": {"low": None, "x": None}}


def test_many_columns():
    names = [f"column {n}" for n in range(2 * CHUNK + 1)]
    columns = found(pa.table({"_partition": ["a"], **{name: [n] for n, name in enumerate(names)}}))["a"].columns
    assert {name: one.mean for name, one in columns.items()} == {name: float(n) for n, name in enumerate(names)}


def test_huge_numbers_stay_json():
    one = found(staged({"a": {"n": [1.7e308, 1.7e308, -1.7e308]}}))["a"].columns["n"]
    assert all(math.isfinite(value) for value in (one.mean, one.maximum, *one.quantiles))
