import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import log_loss, mean_absolute_error, r2_score, roc_auc_score, root_mean_squared_error

from platform_ml.engine.evaluation import evaluate
from platform_ml.engine.rows import SplitRows
from platform_ml.gates import AtMost, SlicesWithin
from platform_ml.metrics import RocAuc
from platform_ml.spec.attribution import LOG_ODDS, Attribution
from platform_ml.spec.evaluation import EvaluationResult
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.task import REGRESSION
from platform_ml.testing.declarations import CUTOFF, lapse_evaluation, spend, spend_evaluation

SPENT, RECENCY = lapse_evaluation.model.dataset.view.feature_names
ROWS = 800


@dataclass(frozen=True)
class Logistic:
    """A fitted model that is small enough to read."""

    spent: float
    recency: float
    explained_by: str | None = "linear_shap"

    def _parts(self, rows):
        return np.column_stack([self.spent * rows[SPENT].to_numpy(), self.recency * rows[RECENCY].to_numpy()])

    def predict(self, rows):
        return 1 / (1 + np.exp(-self._parts(rows).sum(axis=1)))

    def save(self, folder):
        raise NotImplementedError

    def contributions(self, rows):
        return self._parts(rows)

    def attribution(self, rows):
        return Attribution(values=self._parts(rows)[:, :, None], base=np.zeros((len(rows), 1)), unit=LOG_ODDS)


MODEL = Logistic(spent=-1.0, recency=2.0)
BASELINES = {"recency": Logistic(spent=0.0, recency=1.0), "majority": Logistic(spent=0.0, recency=0.0)}


def split(seed, rows=ROWS, entities=None):
    """Rows whose labels follow MODEL, but for customers in CH: theirs are chance."""
    draw = np.random.default_rng(seed)
    features = pa.table({SPENT: draw.normal(size=rows), RECENCY: draw.normal(size=rows)})
    country = draw.choice(np.array(["AT", "CH", "DE", None], dtype=object), size=rows)
    chance = np.where(country == "CH", 0.5, MODEL.predict(features))
    student = draw.choice(np.array([True, False, None], dtype=object), size=rows)
    day = datetime(CUTOFF.year, CUTOFF.month, CUTOFF.day, tzinfo=UTC)
    times = [day - timedelta(days=7 * int(week)) for week in draw.integers(3, size=rows)]
    return SplitRows(
        features=features,
        label=(draw.random(rows) < chance).astype(np.float64),
        entity=np.arange(rows) if entities is None else draw.integers(entities, size=rows),
        event_time=pa.chunked_array([pa.array(times, type=pa.timestamp("us", tz="UTC"))]),
        helpers=pa.table({"country": pa.array(country, pa.string()), "student": pa.array(student, pa.bool_())}),
    )


SPLITS = {"train": split(0), "validation": split(1, entities=100), "test": split(2)}


def run(**changes):
    inputs = {
        "splits": SPLITS,
        "predictor": MODEL,
        "baselines": BASELINES,
        "model_digest": "model",
        "dataset_digest": "dataset",
        "cutoff": str(CUTOFF),
        "size_bytes": 123,
    }
    return evaluate(changes.pop("evaluation", lapse_evaluation), **inputs | changes)


@pytest.fixture(scope="module")
def result():
    return run()


def test_metrics_agree_with_another_implementation(result):
    for name, rows in SPLITS.items():
        prediction = MODEL.predict(rows.features)
        metrics = result.splits[name].metrics
        assert metrics["roc_auc"].value == pytest.approx(roc_auc_score(rows.label, prediction))
        assert metrics["log_loss"].value == pytest.approx(log_loss(rows.label, prediction))
        assert result.splits[name].rows == ROWS
        assert result.splits[name].mean == rows.label.mean()


def test_it_knows_what_it_belongs_to(result):
    assert result.model == "lapse_model"
    assert (result.model_digest, result.dataset_digest, result.cutoff) == ("model", "dataset", "2024-06-10")
    assert result.policy_digest == fingerprint(lapse_evaluation)
    assert result.size_bytes == 123
    assert result.goals == {"roc_auc": "maximize", "log_loss": "minimize"}
    assert result.titles["roc_auc"] == "ROC AUC"
    assert (result.splits["test"].first, result.splits["test"].last) == ("2024-05-27", "2024-06-10")


def test_unseen_rows_have_intervals_and_training_rows_have_none(result):
    assert result.splits["train"].metrics["roc_auc"].low is None
    for name in ("validation", "test"):
        for estimate in result.splits[name].metrics.values():
            assert estimate.low < estimate.value < estimate.high


def test_rows_of_one_entity_widen_the_interval():
    def width(entity):
        test = replace(SPLITS["test"], entity=entity)
        estimate = run(splits=SPLITS | {"test": test}).test("log_loss")
        return estimate.high - estimate.low

    surprise = np.abs(SPLITS["test"].label - MODEL.predict(SPLITS["test"].features))
    clusters = np.argsort(np.argsort(surprise)) // 40
    assert width(clusters) > 1.5 * width(np.arange(ROWS))


def test_every_value_of_a_helper_is_a_slice(result):
    assert [one.title for one in result.slices] == [
        "country = AT",
        "country = CH",
        "country = DE",
        "country = (missing)",
        "student = false",
        "student = true",
        "student = (missing)",
    ]
    for column in ("country", "student"):
        assert sum(one.rows for one in result.slices if one.column == column) == ROWS


def test_a_slice_that_is_served_badly_is_seen(result):
    worst = min(result.slices, key=lambda one: one.gap.value)
    assert worst.title == "country = CH"
    assert worst.gap.high < 0
    assert worst.gap.value == pytest.approx(worst.metrics["roc_auc"].value - result.test("roc_auc").value)
    verdict = SlicesWithin(metric="roc_auc", margin=0.1).judge(result)
    assert not verdict.passed
    assert "country = CH" in verdict.reason
    assert "DE" not in verdict.reason


def test_a_gap_is_negative_where_a_loss_is_greater():
    by_loss = replace(lapse_evaluation, metrics=tuple(reversed(lapse_evaluation.metrics)))
    worst = min(run(evaluation=by_loss).slices, key=lambda one: one.gap.value)
    assert worst.title == "country = CH"
    assert worst.gap.value < 0


def test_a_lead_is_paired(result):
    lead = result.baselines["recency"].lead
    model, recency = (of.metrics for of in (result.splits["test"], result.baselines["recency"]))
    assert lead["roc_auc"].value == pytest.approx(model["roc_auc"].value - recency["roc_auc"].value)
    assert lead["log_loss"].value == pytest.approx(recency["log_loss"].value - model["log_loss"].value)
    assert lead["roc_auc"].low > 0
    alone = model["roc_auc"]
    assert lead["roc_auc"].high - lead["roc_auc"].low < alone.high - alone.low


def test_a_baseline_that_is_the_model_is_not_led():
    lead = run(baselines=BASELINES | {"recency": MODEL}).baselines["recency"].lead["roc_auc"]
    assert (lead.value, lead.low, lead.high) == (0, 0, 0)


def test_the_interval_of_the_lead_over_an_equally_good_baseline_contains_0():
    def turned(angle):
        cos, sin = np.cos(angle), np.sin(angle)
        return Logistic(spent=cos * MODEL.spent - sin * MODEL.recency, recency=sin * MODEL.spent + cos * MODEL.recency)

    # The features are independent and alike, so turning the weights either way costs the same.
    lead = run(predictor=turned(0.5), baselines=BASELINES | {"recency": turned(-0.5)}).baselines["recency"].lead
    assert lead["roc_auc"].low < 0 < lead["roc_auc"].high


def test_the_same_inputs_give_the_same_digest(result):
    again = run()
    assert again.digest == result.digest
    assert replace(again, latency_ms={"p50": 99.0}).digest == result.digest
    assert run(dataset_digest="another").digest != result.digest
    assert run(predictor=Logistic(spent=-1.0, recency=2.1)).digest != result.digest


def test_row_order_does_not_matter(result):
    test = SPLITS["test"]
    other = np.random.default_rng(0).permutation(ROWS)
    shuffled = SplitRows(
        features=test.features.take(other),
        label=test.label[other],
        entity=test.entity[other],
        event_time=test.event_time.take(pa.array(other)),
        helpers=test.helpers.take(other),
    )
    again = run(splits=SPLITS | {"test": shuffled})
    assert again.test("roc_auc") == result.test("roc_auc")
    assert [one.gap for one in again.slices] == [one.gap for one in result.slices]


def test_it_survives_a_file(result):
    plain = json.loads(json.dumps(result.to_json(), sort_keys=True, allow_nan=False))
    again = EvaluationResult.from_json(plain)
    assert again == result
    assert again.digest == result.digest


def test_importance_is_the_mean_of_absolute_shap_values(result):
    expected = np.abs(MODEL.contributions(SPLITS["test"].features)).mean(axis=0)
    assert [(item.feature, item.mean_abs_shap) for item in result.importance] == [
        (RECENCY, pytest.approx(expected[1], rel=1e-5)),
        (SPENT, pytest.approx(expected[0], rel=1e-5)),
    ]
    assert "28 days" in result.importance[0].meaning


def test_a_family_without_shap_values_is_explained_by_sampling():
    found = run(predictor=replace(MODEL, explained_by=None))
    assert [item.feature for item in found.importance] == [RECENCY, SPENT]
    assert found.explanations.method == "permutation_shap"
    assert found.explanations.unit == "probability"


def test_curves_and_latency_are_there(result):
    assert set(result.curves) == {
        "roc",
        "calibration",
        "score_histogram",
        "baseline_roc_recency",
        "baseline_roc_majority",
    }
    assert len(result.curves["calibration"]) == 10
    assert 0 < result.latency_ms["p50"] <= result.latency_ms["p95"] <= result.latency_ms["p99"]


def test_without_test_rows_nothing_is_defined_and_no_gate_passes():
    nothing = run(splits=SPLITS | {"test": split(2, rows=0)})
    assert nothing.splits["test"].rows == 0
    assert nothing.test("roc_auc").value is None
    assert nothing.baselines["recency"].lead["roc_auc"].value is None
    assert nothing.slices == ()
    assert nothing.digest
    assert not SlicesWithin(metric="roc_auc", margin=0.1).judge(nothing).passed


@dataclass(frozen=True)
class Amount:
    """A number that follows one feature."""

    factor: float

    def predict(self, rows):
        return self.factor * rows[SPENT].to_numpy() + 20

    def contributions(self, rows):
        return None


def numbers(seed):
    rows = split(seed)
    label = 10 * rows.features[SPENT].to_numpy() + 20 + np.random.default_rng(seed + 9).normal(size=ROWS)
    return replace(rows, label=label, task=REGRESSION)


@pytest.fixture(scope="module")
def of_numbers():
    splits = {"train": numbers(0), "validation": numbers(1), "test": numbers(2)}
    rivals = {"as_before": Amount(0.0), "average": Amount(5.0)}
    return splits, run(evaluation=spend_evaluation, splits=splits, predictor=Amount(10.0), baselines=rivals)


def test_numbers_are_measured_in_their_unit(of_numbers):
    splits, result = of_numbers
    truth, prediction = splits["test"].label, Amount(10.0).predict(splits["test"].features)
    assert result.test("mae").value == pytest.approx(mean_absolute_error(truth, prediction))
    assert result.test("rmse").value == pytest.approx(root_mean_squared_error(truth, prediction))
    assert result.test("r2").value == pytest.approx(r2_score(truth, prediction))
    assert result.test("mae").low < result.test("mae").value < result.test("mae").high
    assert result.splits["test"].mean == pytest.approx(truth.mean())
    assert (result.task, result.goals["mae"], result.goals["r2"]) == ("regression", "minimize", "maximize")


def test_a_lead_in_an_error_is_how_much_smaller_it_is(of_numbers):
    splits, result = of_numbers
    truth = splits["test"].label
    for name, factor in {"as_before": 0.0, "average": 5.0}.items():
        rival = mean_absolute_error(truth, Amount(factor).predict(splits["test"].features))
        lead = result.baselines[name].lead["mae"]
        assert lead.value == pytest.approx(rival - result.test("mae").value)
        assert lead.low > 0
        assert result.baselines[name].lead["r2"].low > 0


def test_numbers_have_residuals_and_no_roc(of_numbers):
    _, result = of_numbers
    assert set(result.curves) == {"calibration", "score_histogram", "residuals"}
    assert result.residuals["std"] == pytest.approx(1, abs=0.1)
    assert {one.title for one in result.slices} >= {"country = AT", "country = (missing)"}
    assert EvaluationResult.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_gates_judge_numbers(of_numbers):
    _, result = of_numbers
    verdicts = {verdict.gate: verdict for verdict in spend.judge(result)}
    assert verdicts["mae_at_most"].passed
    assert verdicts["beats_as_before_on_mae"].passed
    worse = AtMost(metric="mae", limit=0.1).judge(result)
    assert worse.outcome == "failed"


def test_numbers_written_before_labels_could_be_numbers_are_read(result):
    plain = json.loads(json.dumps(result.to_json()))
    for one in (*plain["splits"].values(), *plain["slices"]):
        one["positives"] = round(one.pop("mean") * one["rows"])
    del plain["task"], plain["residuals"]
    assert EvaluationResult.from_json(plain) == result


def test_each_metric_says_its_unit_and_definition(result):
    assert result.meanings["log_loss"].unit == "nats per row"
    assert result.meanings["roc_auc"].definition == RocAuc.definition
