import math
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine import quality as engine
from platform_ml.engine.quality import scored
from platform_ml.features import Field
from platform_ml.formats import Parquet
from platform_ml.outliers import MedianDeviation, Tukey
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.quality import MISSING_SHARE, OUTLIER_SHARE, READY, SCORE, Quality
from platform_ml.spec.schema import Boolean, Column, Double, Integer, Text, Timestamp
from platform_ml.spec.schema import Decimal as Exact
from platform_ml.spec.source import Source
from platform_ml_tests.engine.shop import (
    contents,
    customer_profile,
    keys_of,
    lapsed,
    make,
    order_history,
    rows_of,
)

KINDS = {
    "amount": (Double(), pa.float64()),
    "price": (Exact(9, 2), pa.decimal128(9, 2)),
    "pieces": (Integer(), pa.int64()),
    "brand": (Text(), pa.string()),
    "sold": (Boolean(), pa.bool_()),
    "made_at": (Timestamp(), pa.timestamp("us", tz="UTC")),
}
SOURCE = Source(
    name="things",
    description="A column of every type.",
    format=Parquet(),
    columns=(Column("thing", Integer()), *(Column(name, kind, nullable=True) for name, (kind, _) in KINDS.items())),
    key=("thing",),
)
TUKEY = Quality(outliers=Tukey(1.5), ready_at=0.75, outlier_weight=0.5, min_values=4)


def group(*names, quality=TUKEY):
    return FeatureGroup(
        name="things_known",
        description="Things.",
        source=SOURCE,
        entity="thing",
        features=tuple(Field(of=name) for name in names),
        quality=quality,
    )


def staged(parts):
    """Partition → column → values."""
    names = [key for key, columns in parts.items() for _ in next(iter(columns.values()))]
    columns = {
        name: pa.array([value for part in parts.values() for value in part[name]], KINDS[name][1])
        for name in next(iter(parts.values()))
    }
    return pa.table({"_partition": pa.array(names, pa.string()), "thing": range(len(names)), **columns})


def judged(parts, quality=TUKEY, keys=None, threads=2):
    rows = staged(parts)
    names = [name for name in rows.column_names if name in KINDS]
    full, found = scored(group(*names, quality=quality), rows, keys or list(parts), compute=DuckDB(threads=threads))
    assert alike(full.select(rows.column_names), rows)
    return full, found


def alike(one, other):
    """Equal rows, where NaN is equal to NaN."""
    return one.schema == other.schema and repr(one.to_pydict()) == repr(other.to_pydict())


def one(values, name="amount", quality=TUKEY):
    """The only feature of the only partition, and the rows."""
    full, found = judged({"a": {name: values}}, quality)
    return found["a"].features[name], full.to_pylist()


def invented(seed, rows=300):
    """Partitions of different sizes, with everything that values can be."""
    draw = np.random.default_rng(seed)
    odd = [None, math.nan, math.inf, -math.inf, 1e300]
    size = {"a": rows, "b": 5, "c": 1, "d": rows // 2}
    return {
        key: {
            "amount": [odd[draw.integers(5)] if draw.random() < 0.2 else float(draw.lognormal()) for _ in range(n)],
            "price": [None if draw.random() < 0.1 else Decimal(int(draw.integers(-5, 9) ** 3)) / 100 for _ in range(n)],
            "pieces": [None if draw.random() < 0.3 else int(draw.poisson(3)) for _ in range(n)],
            "brand": [None if draw.random() < 0.5 else "x" for _ in range(n)],
            "sold": [None if draw.random() < 0.5 else True for _ in range(n)],
        }
        for key, n in size.items()
    }


def expected(part, quality):
    """The definition of `Quality` with Tukey's fences, in plain Python, row by row."""
    flags = {}
    for name, values in part.items():
        numbers = name in {"amount", "price", "pieces"}
        missing = [value is None or (numbers and math.isnan(value)) for value in values]
        known = [
            float(v) for v, lacks in zip(values, missing, strict=True) if numbers and not lacks and math.isfinite(v)
        ]
        q1, q3 = np.percentile(known, [25, 75]) if known else (0, 0)
        reach = quality.outliers.k * (q3 - q1) if len(known) >= quality.min_values and q3 > q1 else math.inf
        outlying = [
            numbers and not lacks and (math.isinf(value) or not q1 - reach <= float(value) <= q3 + reach)
            for value, lacks in zip(values, missing, strict=True)
        ]
        flags[name] = (missing, outlying)
    return flags


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_every_row_as_the_definition_says(seed, chunk, monkeypatch):
    monkeypatch.setattr(engine, "CHUNK", chunk)
    parts = invented(seed)
    full, found = judged(parts)
    rows, at = full.to_pylist(), 0
    for key, part in parts.items():
        flags, n = expected(part, TUKEY), len(part)
        size = len(part["amount"])
        for place in range(size):
            m, o = (sum(pair[which][place] for pair in flags.values()) for which in (0, 1))
            row = rows[at + place]
            assert (row[MISSING_SHARE], row[OUTLIER_SHARE]) == (m / n, o / n)
            assert row[SCORE] == (n - m - 0.5 * o) / n == pytest.approx(1 - m / n - 0.5 * o / n)
            assert row[READY] is (row[SCORE] >= 0.75)
        here = rows[at : at + size]
        assert found[key].score == pytest.approx(sum(row[SCORE] for row in here) / size)
        assert found[key].ready_share == sum(row[READY] for row in here) / size
        assert found[key].ready is (found[key].score >= 0.75)
        for name, (missing, outlying) in flags.items():
            assert found[key].features[name].missing == sum(missing) / size
            assert found[key].features[name].outlying == sum(outlying) / size
        at += size


def test_the_same_to_the_last_bit_alone_together_and_at_any_number_of_threads():
    parts = invented(9, rows=3_000)
    full, found = judged(parts, threads=1)
    again, same = judged(parts, threads=4)
    assert (alike(again, full), same) == (True, found)
    edges = np.cumsum([0, *(len(part["amount"]) for part in parts.values())])
    for (start, end), (key, part) in zip(pairwise(edges), parts.items(), strict=True):
        alone, own = judged({key: part})
        assert alike(alone.drop_columns(["thing"]), full.slice(start, end - start).drop_columns(["thing"]))
        assert own == {key: found[key]}


def test_limits_are_those_of_the_whole_partition():
    usual = [float(n) for n in range(100)]
    both = judged({"a": {"amount": [*usual, 500.0]}, "b": {"amount": [500.0, 501.0, 502.0, 503.0]}})[1]
    assert both["a"].features["amount"].outlying == 1 / 101
    assert both["b"].features["amount"].outlying == 0
    low, high = both["a"].features["amount"].low, both["a"].features["amount"].high
    assert (low, high) == (25 - 1.5 * 50, 75 + 1.5 * 50)


def test_a_value_on_a_limit_is_usual():
    found, rows = one([1.0, 2.0, 3.0, 4.0, -1.0, 7.0])
    assert (found.low, found.high) == (1.25 - 1.5 * 2.5, 3.75 + 1.5 * 2.5)
    assert [row[OUTLIER_SHARE] for row in rows] == [0, 0, 0, 0, 0, 0]
    assert one([1, 2, 3, 4, 5, 8], "pieces")[0].high == 4.75 + 1.5 * 2.5
    assert [row[OUTLIER_SHARE] for row in one([2, 2, 4, 4, 7, 4, 2], "pieces")[1]] == [0] * 7


@pytest.mark.parametrize(
    ("name", "values"),
    [("amount", [3.0] * 50), ("pieces", [0] * 49 + [7]), ("brand", ["x", ""] * 25), ("sold", [True] * 49 + [False])],
)
def test_without_spread_nothing_is_an_outlier(name, values):
    found, rows = one(values, name)
    assert (found.missing, found.outlying, found.low, found.high) == (0, 0, None, None)
    assert {row[SCORE] for row in rows} == {1.0}
    assert all(row[READY] for row in rows)


@pytest.mark.parametrize("name", list(KINDS))
def test_a_column_of_nulls_is_missing(name):
    found, rows = one([None, None, None, None, None], name)
    assert (found.missing, found.outlying, found.low) == (1, 0, None)
    assert {(row[MISSING_SHARE], row[SCORE], row[READY]) for row in rows} == {(1, 0, False)}


def test_nan_is_missing_and_infinity_is_an_outlier_also_without_limits():
    found, rows = one([math.nan, math.inf, -math.inf, 1.0])
    assert (found.missing, found.outlying, found.low) == (0.25, 0.5, None)
    assert [(row[MISSING_SHARE], row[OUTLIER_SHARE], row[SCORE]) for row in rows] == [
        (1, 0, 0), (0, 1, 0.5), (0, 1, 0.5), (0, 0, 1)
    ]  # fmt: skip


def test_of_few_values_nothing_is_an_outlier():
    values = [1.0, 2.0, 1e9]
    assert one(values)[0].outlying == 0
    few = replace(TUKEY, min_values=3, outliers=Tukey(0.5))
    assert one(values, quality=few)[0].outlying == pytest.approx(1 / 3)
    assert one([*values, None, math.inf], quality=replace(few, min_values=4))[0].outlying == 0.2


def test_limits_beyond_the_largest_number_are_no_numbers():
    found, _ = one([-1.7e308, -1.7e308, 0.0, 1.7e308, 1.7e308])
    assert (found.low, found.high, found.outlying) == (None, None, 0)


def test_an_empty_partition_has_no_score():
    _, found = judged({"a": {"amount": [1.0]}, "b": {"amount": []}}, keys=["a", "b", "c"])
    assert found["a"].score == 1
    for key in ("b", "c"):
        assert (found[key].score, found[key].ready, found[key].ready_share, found[key].features) == (
            None,
            None,
            None,
            {},
        )
    full, found = judged({"a": {"amount": []}})
    assert (full.num_rows, found["a"].score) == (0, None)
    assert full.schema.field(SCORE).type == pa.float64()
    assert full.schema.field(READY).type == pa.bool_()


def test_only_the_chosen_features_count():
    parts = {"a": {"amount": [1.0, None], "brand": [None, None]}}
    full, found = judged(parts, replace(TUKEY, of=("amount",)))
    assert full[SCORE].to_pylist() == [1, 0]
    assert list(found["a"].features) == ["amount"]


def test_other_rules():
    values = [float(n) for n in range(50)] + [1e6]
    for outliers in (Tukey(), MedianDeviation()):
        found, rows = one(values, quality=replace(TUKEY, outliers=outliers))
        assert (found.outlying, rows[-1][OUTLIER_SHARE]) == (1 / 51, 1)
    assert one([*values, math.inf], quality=replace(TUKEY, outliers=None))[0].outlying == 0


def test_without_quality_rows_are_as_they_were():
    rows = staged({"a": {"amount": [1.0]}})
    full, found = scored(group("amount", quality=None), rows, ["a"], compute=DuckDB())
    assert full is rows
    assert found == {}


HISTORY = replace(order_history, name="history_scored", quality=Quality(outliers=Tukey(), min_values=5))


def test_scores_are_columns_of_the_table_and_part_of_its_statistics(shop, built):
    done = make(shop, HISTORY)
    assert not [found for one in done for found in one.stopped]
    features = [row for key in keys_of(HISTORY) for row in rows_of(built, order_history, [key])]
    rows = [row for key in keys_of(HISTORY) for row in rows_of(shop, HISTORY, [key])]
    added = (MISSING_SHARE, OUTLIER_SHARE, SCORE, READY)
    assert [{name: value for name, value in row.items() if name not in added} for row in rows] == features
    snapshot = shop.read(HISTORY, [])
    kept = shop.platform.tables.statistics(snapshot)
    assert kept == {key: found for one in done for key, found in one.statistics.items()}
    last = kept[keys_of(HISTORY)[-1]]
    assert last.quality.score == pytest.approx(last.columns[SCORE].mean, rel=1e-8)
    assert list(last.quality.features) == [feature.name for feature in HISTORY.features]


def test_one_day_has_the_bytes_of_the_year(shop):
    make(shop, HISTORY)
    again = replace(HISTORY, name="history_again")
    keys = keys_of(HISTORY)
    for some in ([keys[40]], keys[41:47], keys[-1:]):
        make(shop, again, some)
    whole = contents(shop, HISTORY)
    assert contents(shop, again) == {key: whole[key] for key in contents(shop, again)}


def test_a_reference_is_scored_as_a_whole(shop):
    known = replace(customer_profile, name="profile_scored", quality=Quality(ready_at=1.0))
    (done,) = make(shop, known)
    rows = rows_of(shop, known)
    assert not done.stopped
    assert {(row["student"] is None or row["country"] is None, row[READY]) for row in rows} <= {
        (True, False), (False, True)
    }  # fmt: skip
    assert done.statistics["all"].quality.ready_share == sum(row[READY] for row in rows) / len(rows)


def test_a_view_gets_the_score_of_the_row_that_it_joins(shop):
    make(shop, HISTORY)
    view = FeatureView(
        name="scored_view",
        description="What a customer bought, and how well that is known.",
        label=lapsed,
        features=(HISTORY.select("amount_sum_28d"),),
        helpers=(HISTORY.select(SCORE, READY),),
    )
    key = lapsed.cadence.keys()[-1]
    (done,) = make(shop, view, [key])
    assert not done.stopped
    before = str(date.fromisoformat(key).fromordinal(date.fromisoformat(key).toordinal() - 1))
    known = {row["customer_id"]: row for row in rows_of(shop, HISTORY, [before])}
    for row in rows_of(shop, view, [key]):
        there = known.get(row["customer_id"], {})
        assert (row[SCORE], row[READY]) == (there.get(SCORE), there.get(READY))


def test_a_table_that_was_made_before_gets_the_columns(shop, built):
    keys = keys_of(order_history)
    scored_now = replace(order_history, quality=HISTORY.quality)
    (done,) = make(shop, scored_now, keys[50:52], token=2)
    assert not done.stopped
    before = dict.fromkeys((MISSING_SHARE, OUTLIER_SHARE, SCORE, READY))
    assert rows_of(shop, scored_now, [keys[49]]) == [row | before for row in rows_of(built, order_history, [keys[49]])]
    assert all(0 <= row[SCORE] <= 1 for row in rows_of(shop, scored_now, keys[50:52]))
