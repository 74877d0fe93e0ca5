"""Test rows by pairs, bands and weeks, and weak slices that are found."""

from dataclasses import replace

import numpy as np
import pytest

from platform_ml.gates import SliceAtMost, SlicesWithin, StableOverTime
from platform_ml.spec.gate import Outcome
from platform_ml.spec.slicing import FOUND, Bands, WeakSlices
from platform_ml.testing.declarations import lapse_evaluation
from platform_ml_tests.engine.test_evaluation import ROWS, SPENT, SPLITS, run


@pytest.fixture(scope="module")
def looked_into():
    """By pairs, bands, weeks and weak slices."""
    evaluation = replace(
        lapse_evaluation,
        metrics=tuple(reversed(lapse_evaluation.metrics)),
        slices=("country", ("country", "student"), Bands(SPENT, 4)),
        periods="week",
        weak_slices=WeakSlices(depth=1, most=1),
        min_rows=70,
    )
    return run(evaluation=evaluation)


def test_pairs_and_bands_are_slices(looked_into):
    titles = [one.title for one in looked_into.slices]
    assert "country and student = CH and true" in titles
    assert "country and student = (missing) and (missing)" in titles
    bands = [one for one in looked_into.slices if one.column == SPENT]
    assert [one.rows for one in bands] == [200] * 4
    assert bands[0].value.startswith("up to -0.")
    assert sum(one.rows for one in looked_into.slices if one.column == "country and student") == ROWS


def test_too_few_rows_are_not_enough_data_for_anyone(looked_into):
    small = [one for one in looked_into.slices if one.rows < 70]
    enough = [one for one in looked_into.slices if one.rows >= 70]
    assert len(small) > 1
    assert len(enough) > 8
    assert {one.metrics["log_loss"].value for one in small} | {one.gap.value for one in small} == {None}
    assert all(one.metrics["log_loss"].low < one.metrics["log_loss"].value for one in enough)
    for gate in (SlicesWithin(metric="log_loss", margin=9, min_rows=1), SliceAtMost("log_loss", 9, min_rows=1)):
        verdict = gate.judge(looked_into)
        assert verdict.passed
        assert f"{len(enough)} of {len(looked_into.slices)} slices judged" in verdict.reason
        assert f"not enough data: {small[0].title}" in verdict.reason
    assert SliceAtMost("log_loss", 9).judge(run(evaluation=replace(lapse_evaluation, min_rows=ROWS))).passed is False


def test_weak_slices_are_measured_on_the_test_rows(looked_into):
    weak = looked_into.weak_slices[0]
    assert weak.column == FOUND
    assert weak.title == "country = CH"  # chance: that is where the labels do not follow the model
    same = next(one for one in looked_into.slices if one.title == "country = CH")
    assert (weak.rows, weak.metrics) == (same.rows, same.metrics)
    assert weak.gap.high < 0


def test_periods_are_measured_and_judged(looked_into):
    assert [one.title for one in looked_into.periods] == ["week = 2024-05-27", "week = 2024-06-03", "week = 2024-06-10"]
    assert sum(one.rows for one in looked_into.periods) == ROWS
    gate = StableOverTime(metric="log_loss", fall=0.2, spread=0.1)
    assert gate.judge(looked_into).passed
    found = looked_into.evidence.stability["log_loss"]
    first, _, last = (one.metrics["log_loss"].value for one in looked_into.periods)
    assert found.trend.value == pytest.approx(first - last, abs=0.03)  # a loss that falls is better
    assert found.trend.low < found.trend.value < found.trend.high


def test_a_model_that_decays_is_stopped_by_its_periods():
    test = SPLITS["test"]
    days = test.event_time.to_numpy().astype("datetime64[D]")
    late = days > days.min() + np.timedelta64(7, "D")
    label = np.where(late, 1 - test.label, test.label)
    evaluation = replace(lapse_evaluation, periods="week")
    verdict = StableOverTime(metric="roc_auc", fall=0.1, spread=0.5).judge(
        run(evaluation=evaluation, splits=SPLITS | {"test": replace(test, label=label)})
    )
    assert verdict.outcome is Outcome.FAILED
    assert verdict.high < -0.1
