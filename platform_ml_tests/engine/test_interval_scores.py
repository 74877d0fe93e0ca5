"""Coverage on test rows, with intervals by entity; what gates and cards make of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import jsonschema
import numpy as np
import pyarrow as pa
import pytest

from platform_ml.engine.interval_scores import wilson, with_intervals
from platform_ml.engine.intervals import Calibrated
from platform_ml.engine.model_card import render
from platform_ml.engine.rows import SplitRows
from platform_ml.engine.tracked_evaluation import interval_numbers
from platform_ml.gates import IntervalsCover, SliceIntervalsCover
from platform_ml.spec.evaluation import EvaluationResult
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.gate import Outcome
from platform_ml.spec.intervals import Conformal, Width
from platform_ml.spec.task import REGRESSION
from platform_ml.testing.declarations import spend_card, spend_evaluation, spend_model
from platform_ml_tests.engine.test_card_page import TEMPLATES
from platform_ml_tests.engine.test_model_card import PROVENANCE
from platform_ml_tests.engine.test_model_card_of_numbers import RESULT

DECLARED = Conformal(coverage=0.9, by=("bought_lately",), min_rows=30)
WIDTHS = (
    Width(group="", rows=120, half=2.0),
    Width(group="false", rows=20, half=2.0, own=False),
    Width(group="true", rows=100, half=1.5),
)
INTERVALS = Calibrated(declared=DECLARED, widths=WIDTHS)
EVALUATION = replace(spend_evaluation, periods="month", min_rows=20)
COUNTRY = np.array(["AT"] * 300 + ["CH"] * 290 + ["LI"] * 10)
DRAW = np.random.default_rng(2)
ERRORS = np.where(
    COUNTRY == "CH",
    DRAW.choice([0.5, 9.0], p=[0.7, 0.3], size=600),
    DRAW.choice([0.5, 1.8, 9.0], p=[0.8, 0.1, 0.1], size=600),
)


def rows_off(errors, entity=None):
    """Rows whose prediction of 0 is off by so much."""
    months = [datetime(2024, 5 + n % 2, 1, tzinfo=UTC) for n in range(len(errors))]
    return SplitRows(
        features=pa.table({"bought_lately": np.arange(len(errors)) % 2 == 0}),
        label=np.asarray(errors),
        entity=np.arange(len(errors)) if entity is None else entity,
        event_time=pa.chunked_array([pa.array(months, pa.timestamp("us", "UTC"))]),
        helpers=pa.table({"country": COUNTRY[: len(errors)]}),
        task=REGRESSION,
    )


def seen(errors, **more):
    test = rows_off(errors, **more)
    return with_intervals(RESULT, EVALUATION, INTERVALS, test, np.zeros(len(errors)))


@pytest.fixture(scope="module")
def result():
    return seen(ERRORS)


def test_shares_and_widths_are_counted(result):
    score = result.intervals
    assert (score.promised, score.width, score.relative) == (0.9, 3.5, False)
    half = np.where(np.arange(600) % 2 == 0, 1.5, 2.0)
    assert score.covered.value == pytest.approx((half >= ERRORS).mean())
    assert score.covered.low < score.covered.value < score.covered.high
    parts = {(part.column, part.value): part for part in score.parts}
    assert list(parts) == [
        *(("bought_lately", value) for value in ("false", "true")),
        *(("country", value) for value in ("AT", "CH", "LI")),
        *(("month", value) for value in ("2024-05", "2024-06")),
    ]
    swiss = COUNTRY == "CH"
    assert parts["country", "CH"].covered.value == pytest.approx((half >= ERRORS)[swiss].mean())
    assert parts["bought_lately", "true"].width == 3.0
    small = parts["country", "LI"]
    assert (small.rows, small.covered.value, small.width) == (10, None, None)


def test_the_numbers_of_a_file_are_the_same(result):
    text = json.dumps(result.to_json())
    again = EvaluationResult.from_json(json.loads(text))
    assert again == result
    assert again.digest == result.digest != RESULT.digest
    assert "intervals" not in RESULT.to_json()


def test_rows_of_an_entity_are_drawn_together():
    draw = np.random.default_rng(1)
    lucky = draw.random(30) < 0.8
    errors = np.repeat(np.where(lucky, 0.0, 9.0), 20)
    alone, together = seen(errors), seen(errors, entity=np.repeat(np.arange(30), 20))
    widths = [one.intervals.covered.high - one.intervals.covered.low for one in (alone, together)]
    assert widths[1] > 3 * widths[0]


def test_where_all_are_covered_the_interval_is_that_of_wilson():
    covered = seen(np.zeros(40)).intervals.covered
    assert (covered.value, covered.high) == (1.0, 1.0)
    assert covered.low == pytest.approx(wilson(1.0, 40)[0]) == pytest.approx(0.912, abs=1e-3)


def test_without_test_rows_nothing_is_measured():
    score = with_intervals(RESULT, EVALUATION, INTERVALS, rows_off([]), np.empty(0)).intervals
    assert (score.covered.value, score.width, score.parts) == (None, None, ())
    assert interval_numbers(replace(RESULT, intervals=score)) == interval_numbers(RESULT) == {}


def test_gates_judge_all_rows_and_each_slice(result):
    assert IntervalsCover(0.88).judge(result).outcome is Outcome.FAILED
    verdict = SliceIntervalsCover(0.85).judge(result)
    assert verdict.outcome is Outcome.FAILED
    assert [part.gate for part in verdict.parts if part.outcome is Outcome.FAILED] == [
        "bought_lately = false",
        "bought_lately = true",
        "country = CH",
    ]
    only = SliceIntervalsCover(0.85, by="country").judge(result)
    assert [part.gate for part in only.parts] == ["country = AT", "country = CH"]


def test_the_tracker_is_told(result):
    told = interval_numbers(result)
    assert told["test_interval_coverage"] == result.intervals.covered.value
    assert told["test_interval_coverage_low"] < told["test_interval_coverage"] < told["test_interval_coverage_high"]
    assert (told["test_interval_width"], told["test_interval_promised"]) == (3.5, 0.9)


def test_the_card_says_what_was_promised_and_what_was_measured(result):
    evaluation = replace(EVALUATION, model=replace(spend_model, intervals=Conformal()))
    card = replace(spend_card, evaluation=evaluation)
    numbers = replace(result, policy_digest=fingerprint(evaluation))
    shown = render(card, result=numbers, verdicts=(), gates=(), provenance=PROVENANCE)
    for text in (shown.markdown, shown.html):
        for words in (
            "Prediction intervals",
            "hold 0.9 of the truths within each",
            "exchangeable",
            "too few rows: as all rows",
            "not enough",
        ):
            assert words in text
    assert "intervals" in {plot.name for plot in shown.plots}
    assert 'aria-label="Share of truths within their prediction interval' in shown.html
    jsonschema.validate(json.loads(shown.files["card.json"]), json.loads((TEMPLATES / "card.schema.json").read_text()))
    plain = render(spend_card, result=RESULT, verdicts=(), gates=(), provenance=PROVENANCE)
    assert "Prediction intervals" not in plain.markdown + plain.html
