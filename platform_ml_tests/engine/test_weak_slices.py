from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.engine.rows import SplitRows
from platform_ml.engine.weak_slices import row_errors, weak_rules
from platform_ml.spec.slicing import WeakSlices
from platform_ml.spec.task import BINARY, MULTICLASS, REGRESSION

DECLARED = WeakSlices(depth=2, leaf_rows=50)
NOTHING = pa.chunked_array([pa.array([], pa.timestamp("us", tz="UTC"))])


def rows(seed, count=2_000):
    """Numbers whose predictions of 0 are wrong for old customers of the south, and for those of no known age."""
    draw = np.random.default_rng(seed)
    age = draw.integers(18, 90, count).astype(np.float64)
    age[draw.random(count) < 0.1] = np.nan
    region = draw.choice(np.array(["north", "south", "east", None], dtype=object), count)
    bad = (region == "south") & (age > 60)
    return SplitRows(
        features=pa.table({"noise": draw.normal(size=count), "often": pa.array(draw.integers(3, size=count))}),
        label=draw.normal(0, np.where(np.isnan(age), 3, np.where(bad, 5, 1))),
        entity=np.arange(count),
        event_time=NOTHING,
        helpers=pa.table({"age": pa.array(age, from_pandas=True), "region": pa.array(region, pa.string())}),
        task=REGRESSION,
    )


def test_planted_weak_slices_are_found_as_rules():
    validation, test = rows(0), rows(1)
    rules = weak_rules(DECLARED, validation, np.zeros(2_000))
    south = next(rule for rule in rules if "region = south" in str(rule))
    assert set(south.sides) == {"age", "region"}
    assert 58 <= south.sides["age"].above <= 62
    found = south.rows(test)
    age, region = test.helpers["age"].to_numpy(), np.array(test.helpers["region"].to_pylist())
    right = (region == "south") & ((age > 60) | np.isnan(age))
    assert len(found) > 100
    assert right[found].mean() > 0.95
    assert np.abs(test.label[found]).mean() > 2 * np.abs(test.label).mean()


def test_a_rule_holds_as_it_is_said():
    validation = rows(0)
    for rule in weak_rules(replace(DECLARED, depth=3), validation, np.zeros(2_000)):
        told = rule.rows(validation)
        assert len(told) >= DECLARED.leaf_rows - 5  # thresholds are rounded as they are shown
        for name, side in rule.sides.items():
            assert side.said(name) in str(rule)


def test_a_missing_value_can_be_the_whole_rule():
    draw = np.random.default_rng(3)
    number = np.where(draw.random(800) < 0.3, np.nan, draw.normal(size=800))
    found = weak_rules(
        WeakSlices(depth=1, leaf_rows=50),
        replace(
            rows(0, 800),
            helpers=pa.table({"number": pa.array(number, from_pandas=True)}),
            features=pa.table({}),
            label=np.where(np.isnan(number), 5.0, 0.1) * draw.choice([-1, 1], 800),
        ),
        np.zeros(800),
    )
    assert [str(rule) for rule in found] == ["number is missing"]


def test_the_worst_come_first_and_not_more_than_declared():
    validation = rows(0)
    rules = weak_rules(WeakSlices(depth=4, most=2, leaf_rows=40), validation, np.zeros(2_000))
    means = [np.abs(validation.label[rule.rows(validation)]).mean() for rule in rules]
    assert len(means) == 2
    assert means[0] > means[1] > np.abs(validation.label).mean()


def test_the_same_rows_give_the_same_rules():
    first, again = (weak_rules(DECLARED, rows(0), np.zeros(2_000)) for _ in range(2))
    assert list(map(str, first)) == list(map(str, again))


@pytest.mark.parametrize(
    ("changes", "prediction"),
    [
        ({"label": np.ones(2_000)}, np.zeros(2_000)),
        ({"helpers": pa.table({}), "features": pa.table({})}, np.zeros(2_000)),
        ({}, np.full(2_000, np.nan)),
        ({"task": BINARY}, np.full(2_000, 1.5)),
    ],
    ids=["no differences", "no columns", "no numbers", "no probabilities"],
)
def test_where_there_is_nothing_to_find(changes, prediction):
    assert weak_rules(DECLARED, replace(rows(0), **changes), prediction) == []
    assert weak_rules(replace(DECLARED, leaf_rows=1_001), rows(0), np.zeros(2_000)) == []


def test_the_error_of_a_row():
    truth = np.array([1.0, 0.0])
    assert row_errors(BINARY, truth, np.array([0.9, 0.5])).tolist() == pytest.approx([0.01, 0.25])
    assert row_errors(REGRESSION, truth, np.array([3.0, -1.0])).tolist() == [2, 1]
    assert row_errors(MULTICLASS, truth, np.array([[0.3, 0.7], [0.8, 0.2]])).tolist() == pytest.approx([0.3, 0.2])
    assert row_errors(BINARY, np.empty(0), np.empty(0)) is None
