import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from platform_ml.engine.curves import (
    MOST_POINTS,
    calibration,
    curves,
    group_statistics,
    residual_statistics,
    roc,
    score_histogram,
)
from platform_ml.spec.task import BINARY, MULTICLASS, RANKING, REGRESSION


@pytest.fixture(params=[None, 1], ids=["all different", "ties"])
def rows(request):
    draw = np.random.default_rng(1)
    prediction = draw.random(3_000)
    truth = (draw.random(3_000) < prediction).astype(float)
    return truth, prediction if request.param is None else prediction.round(request.param)


def test_the_area_under_roc_is_the_metric(rows):
    points = np.array(roc(*rows))
    assert points[0].tolist() == [0, 0]
    assert points[-1].tolist() == [1, 1]
    assert len(points) <= MOST_POINTS
    assert (np.diff(points, axis=0) >= 0).all()
    assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(roc_auc_score(*rows), abs=1e-3)


def test_calibration_of_true_probabilities_is_the_diagonal(rows):
    points = np.array(calibration(*rows))
    assert len(points) == 10
    assert points[:, 1] == pytest.approx(points[:, 0], abs=0.1)


def test_equal_predictions_share_a_bin():
    truth = np.array([0.0, 1.0] * 50)
    assert calibration(truth, np.full(100, 0.3)) == ((pytest.approx(0.3), 0.5),)


def test_calibration_and_roc_do_not_depend_on_row_order(rows):
    other = np.random.default_rng(1).permutation(len(rows[0]))
    shuffled = [array[other] for array in rows]
    assert np.array(calibration(*shuffled)) == pytest.approx(np.array(calibration(*rows)))
    assert roc(*shuffled) == roc(*rows)


def test_the_shares_of_a_histogram_add_up(rows):
    points = np.array(score_histogram(rows[1]))
    assert points[:, 1].sum() == pytest.approx(1)
    assert points[[0, -1], 0] == pytest.approx([0.025, 0.975])


def test_scores_have_their_own_range():
    points = score_histogram(np.array([-10.0, 10.0]))
    assert points[0] == (-9.5, 0.5)
    assert points[-1] == (9.5, 0.5)


@pytest.mark.parametrize("broken", [np.empty(0), np.array([np.nan, 0.5])])
def test_no_curve_without_finite_predictions(broken):
    truth = np.array([0.0, 1.0])[: len(broken)]
    assert roc(truth, broken) == calibration(truth, broken) == score_histogram(broken) == ()


def test_no_roc_of_one_class():
    assert roc(np.ones(3), np.array([0.1, 0.2, 0.3])) == ()


@pytest.fixture
def numbers():
    draw = np.random.default_rng(2)
    prediction = draw.gamma(2, 50, 2_000)
    return prediction + draw.normal(-5, 20, 2_000), prediction


def test_each_task_has_its_own_curves(rows, numbers):
    rivals = {"old": rows[1][::-1]}
    assert set(curves(BINARY, *rows, rivals)) == {"roc", "calibration", "score_histogram", "baseline_roc_old"}
    assert set(curves(REGRESSION, *numbers, {})) == {"calibration", "score_histogram", "residuals"}


def test_residuals_are_prediction_minus_truth(numbers):
    truth, prediction = numbers
    found = residual_statistics(REGRESSION, truth, prediction)
    assert found["mean"] == pytest.approx((prediction - truth).mean())
    assert found["std"] == pytest.approx((prediction - truth).std())
    assert found["median_absolute"] == pytest.approx(np.median(np.abs(prediction - truth)))
    assert [np.mean(prediction - truth < found[name]) for name in ("p05", "p25", "p50", "p75", "p95")] == pytest.approx(
        [0.05, 0.25, 0.5, 0.75, 0.95], abs=2e-3
    )
    assert residual_statistics(BINARY, truth, prediction) == {}


def test_the_outer_bins_of_residuals_hold_what_lies_beyond(numbers):
    truth, prediction = numbers[0].copy(), numbers[1]
    truth[0] = -1e9
    points = np.array(curves(REGRESSION, truth, prediction, {})["residuals"])
    assert points[:, 1].sum() == pytest.approx(1)
    assert points[-1, 0] < 100


def test_no_residuals_without_finite_predictions():
    truth, broken = np.array([0.0, 1.0]), np.array([np.nan, 0.5])
    assert curves(REGRESSION, truth, broken, {})["residuals"] == ()
    assert residual_statistics(REGRESSION, truth, broken) == {}


def test_of_classes_the_likeliest_one_is_drawn():
    draw = np.random.default_rng(0)
    prediction = draw.dirichlet(np.ones(4), 4_000)
    truth = np.array([draw.choice(4, p=row) for row in prediction], dtype=float)
    found = curves(MULTICLASS, truth, prediction, {})
    assert found.keys() == {"calibration", "score_histogram"}
    points = np.array(found["calibration"])
    assert points[:, 1] == pytest.approx(points[:, 0], abs=0.1)
    assert sum(share for _, share in found["score_histogram"]) == pytest.approx(1)
    broken = np.full((5, 4), np.nan)
    assert curves(MULTICLASS, np.zeros(5), broken, {}) == {"calibration": (), "score_histogram": ()}
    assert residual_statistics(MULTICLASS, truth, prediction) == {}


def test_of_rankings_ndcg_is_drawn_by_place_and_by_size_of_the_group():
    group = np.repeat(np.arange(60), np.arange(60) % 6 + 1)
    draw = np.random.default_rng(0)
    truth = draw.integers(0, 3, len(group)).astype(float)
    found = curves(RANKING, truth, truth, {"chance": draw.random(len(group))}, group)
    assert all(value == pytest.approx(1) for _, value in (*found["ndcg_at"], *found["ndcg_by_size"]))
    assert [place for place, _ in found["ndcg_at"]] == [1, 2, 3, 5, 7, 10, 15, 20]
    sizes = [size for size, _ in found["ndcg_by_size"]]
    assert sizes == sorted(sizes)
    # A group of one row is always in the best order; in larger ones chance is worse.
    (_, one), *_, (_, many) = found["baseline_ndcg_by_size_chance"]
    assert many < 0.9 < one
    assert curves(RANKING, truth * np.nan, truth * np.nan, {}, group) == {"ndcg_at": (), "ndcg_by_size": ()}


def test_groups_are_counted():
    found = group_statistics(np.array([0.0, 1.0, 0.0, 0.0]), np.array([5, 5, 5, 7]))
    assert (found["groups"], found["most_rows"], found["mean_rows"], found["without_relevant"]) == (2, 3, 2, 1)
    assert group_statistics(np.zeros(2), None) == {}
