import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.engine.bootstrap import Subject
from platform_ml.engine.evaluation import evaluate
from platform_ml.engine.evidence import Calibration, drift
from platform_ml.engine.rows import SplitRows
from platform_ml.gates import Calibrated, Covered, DemographicParity, SliceGap
from platform_ml.spec.evaluation import EvaluationResult
from platform_ml.spec.evidence import ALL, REST
from platform_ml.spec.gate import Outcome
from platform_ml.spec.statistics import ColumnStatistics, PartitionStatistics
from platform_ml.testing.declarations import CUTOFF, lapse_evaluation

SPENT, RECENCY = lapse_evaluation.model.dataset.view.feature_names
ROWS = 2_000
EVALUATION = replace(lapse_evaluation, threshold=0.5)


class Logistic:
    """A fitted model that is small enough to read."""

    def predict(self, rows):
        return 1 / (1 + np.exp(-2 * rows[RECENCY].to_numpy()))

    def contributions(self, rows):
        return None


def split(seed, *, biased="", low=-9.0):
    """Labels follow the model but for one country, where they are the other way round half of the time."""
    draw = np.random.default_rng(seed)
    features = pa.table({SPENT: np.maximum(low, draw.normal(size=ROWS)), RECENCY: draw.normal(size=ROWS)})
    country = draw.choice(np.array(["AT", "CH", "DE"]), size=ROWS)
    chance = np.where(country == biased, 0.5, Logistic().predict(features))
    moment = datetime(CUTOFF.year, CUTOFF.month, CUTOFF.day, tzinfo=UTC)
    return SplitRows(
        features=features,
        label=(draw.random(ROWS) < chance).astype(np.float64),
        entity=np.arange(ROWS) // 2,
        event_time=pa.chunked_array([pa.array([moment] * ROWS, type=pa.timestamp("us", tz="UTC"))]),
        helpers=pa.table({"country": country, "student": pa.array([True, None] * (ROWS // 2), pa.bool_())}),
    )


def run(test, evaluation=EVALUATION):
    return evaluate(
        evaluation,
        splits={"train": split(0), "validation": split(1), "test": test},
        predictor=Logistic(),
        baselines={"recency": Logistic(), "majority": Logistic()},
        model_digest="model",
        dataset_digest="dataset",
        cutoff=str(CUTOFF),
        size_bytes=123,
    )


@pytest.fixture(scope="module")
def fair():
    return run(split(2))


@pytest.fixture(scope="module")
def biased():
    return run(split(2, biased="CH"))


def test_every_metric_of_every_slice_is_beside_that_of_all(fair):
    found = fair.evidence.of("log_loss", ALL)
    assert [(one.title, one.rows) for one in found] == [(one.title, one.rows) for one in fair.slices]
    for one, known in zip(found, fair.slices, strict=True):
        assert one.value == known.metrics["log_loss"].value
        assert one.reference == fair.test("log_loss").value
    assert {one.measure for one in fair.evidence.of("roc_auc", ALL)} == {"roc_auc"}


def test_a_standard_error_is_that_of_the_gap_on_the_same_resamples(fair):
    for one, known in zip(fair.evidence.of("roc_auc", ALL), fair.slices, strict=True):
        assert one.spread(1, -1) == pytest.approx((known.gap.high - known.gap.low) / (2 * 1.96), rel=0.2)
        assert one.entities <= one.rows


def test_rates_are_those_at_the_threshold_of_a_group_and_of_all_others():
    test = split(3)
    evidence = run(test).evidence
    selected = Logistic().predict(test.features) >= 0.5
    country = np.array(test.helpers["country"].to_pylist())
    about = {
        "selection_rate": np.ones(ROWS, bool),
        "true_positive_rate": test.label == 1,
        "false_positive_rate": test.label == 0,
    }
    for name, rows in about.items():
        (one,) = [one for one in evidence.of(name, REST, "country") if one.value_of == "CH"]
        inside, outside = rows & (country == "CH"), rows & (country != "CH")
        assert one.value == pytest.approx(selected[inside].mean())
        assert one.reference == pytest.approx(selected[outside].mean())
        assert (one.rows, one.reference_rows) == (inside.sum(), outside.sum())
        expected = np.sqrt(selected[inside].var() / inside.sum() + selected[outside].var() / outside.sum())
        assert one.spread(1, -1) == pytest.approx(expected, rel=0.25)


def test_without_a_threshold_there_are_no_rates(fair):
    assert run(split(2), lapse_evaluation).evidence.of("selection_rate", REST) == []
    assert fair.evidence.threshold == 0.5


def test_gates_tell_a_biased_slice_from_fair_ones(fair, biased):
    gate = SliceGap(metric="log_loss", ratio=1.25)
    assert gate.judge(fair).passed
    verdict = gate.judge(biased)
    assert verdict.outcome is Outcome.FAILED
    assert "beyond it: country = CH" in verdict.reason
    assert DemographicParity(column="country", difference=0.1).judge(biased).passed


def test_a_calibrated_model_is_not_blamed_for_chance(fair, biased):
    assert fair.evidence.calibration.low < 0.01
    assert Calibrated(0.03).judge(fair).passed
    assert Calibrated(0.03).judge(biased).outcome is Outcome.FAILED


def test_the_calibration_error_is_corrected_for_what_chance_adds():
    draw = np.random.default_rng(5)
    found = []
    for _ in range(20):
        share = draw.random(400)
        errors = Calibration.of(Subject(truth=(draw.random(400) < share).astype(float), prediction=share))
        weights = draw.multinomial(400, np.full(400, 1 / 400), size=200).astype(float)
        square = errors.corrected([errors.on(weights)]).value ** 2
        found.append((float(errors.on(np.ones((1, 400)))[0]), square))
    plain, corrected = np.mean(found, axis=0)
    assert plain > 0.003
    assert corrected < plain / 2


def test_scores_that_are_no_probabilities_have_no_calibration():
    assert Calibration.of(Subject(truth=np.ones(2), prediction=np.array([0.5, 1.5]))) is None
    assert Calibration.of(Subject(truth=np.empty(0), prediction=np.empty(0))) is None


def test_rows_outside_of_what_training_rows_had_are_counted():
    test = split(2)
    far = test.features.set_column(0, SPENT, pa.array(np.where(np.arange(ROWS) < 500, 99.0, 0.0)))
    evidence = run(replace(test, features=far)).evidence
    assert evidence.covered.value == pytest.approx(0.75, abs=0.002)
    assert evidence.covered.low < 0.75 < evidence.covered.high
    assert evidence.outside[SPENT] == 0.25
    assert Covered(0.9).judge(run(replace(test, features=far))).outcome is Outcome.FAILED


def test_it_survives_a_file_and_belongs_to_the_digest(fair):
    again = EvaluationResult.from_json(json.loads(json.dumps(fair.to_json(), sort_keys=True, allow_nan=False)))
    assert again.evidence == fair.evidence
    assert again.digest == fair.digest != replace(fair, evidence=None).digest
    assert "evidence" not in replace(fair, evidence=None).to_json()


def test_drift_is_of_numbers_and_categories_and_knows_about_chance():
    def partition(shift, top):
        number = ColumnStatistics(
            kind="number", nulls=0, distinct=99, quantiles=tuple(shift + n / 100 for n in range(101))
        )
        country = ColumnStatistics(kind="category", nulls=0, distinct=2, top=top)
        day = ColumnStatistics(kind="time", nulls=0, distinct=9)
        return PartitionStatistics(rows=1_000, sampled=1_000, columns={"n": number, "c": country, "t": day})

    before = partition(0.0, {"AT": 500, "CH": 500})
    same, other = (
        drift(["n", "c", "t"], before, partition(0.0, {"AT": 510, "CH": 490})),
        drift(["n", "c", "t"], before, partition(0.5, {"AT": 900, "CH": 100})),
    )
    assert same.keys() == other.keys() == {"n", "c"}
    for name in same:
        assert same[name][0] < same[name][1] < other[name][0]
    assert other["c"][0] == pytest.approx(0.4 * np.log(9), rel=1e-3)
