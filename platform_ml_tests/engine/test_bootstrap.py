import numpy as np
import pytest

from platform_ml.engine import bootstrap
from platform_ml.engine.bootstrap import Measured, Subject, entity_weights, measure, together
from platform_ml.metrics import NDCG, LogLoss, RocAuc

ENTITY = np.array([3, 3, 7, 1, 7, 3, 9])


def weights(entity=ENTITY, resamples=50, seed="seed"):
    return np.concatenate(list(entity_weights(entity, resamples=resamples, seed=seed)))


def test_rows_of_one_entity_are_drawn_together():
    drawn = weights()
    assert drawn.shape == (50, len(ENTITY))
    for one in np.unique(ENTITY):
        assert (np.ptp(drawn[:, one == ENTITY], axis=1) == 0).all()


def test_as_many_entities_are_drawn_as_there_are():
    first_rows = np.unique(ENTITY, return_index=True)[1]
    assert (weights()[:, first_rows].sum(axis=1) == len(first_rows)).all()


def test_the_seed_alone_decides():
    assert np.array_equal(weights(), weights())
    assert not np.array_equal(weights(), weights(seed="another"))


def test_blocks_are_small_and_add_up(monkeypatch):
    whole = weights()
    monkeypatch.setattr(bootstrap, "CELLS", 3 * len(ENTITY))
    blocks = list(entity_weights(ENTITY, resamples=50, seed="seed"))
    assert max(map(len, blocks)) == 3
    assert np.array_equal(np.concatenate(blocks), whole)


@pytest.mark.parametrize("entity", [np.empty(0, dtype=np.int64), np.array([5, 5, 5])])
def test_one_entity_says_nothing_of_others(entity):
    assert list(entity_weights(entity, resamples=10, seed="seed")) == []


def test_the_interval_of_a_mean_is_that_of_the_textbook():
    draw = np.random.default_rng(0)
    truth = (draw.random(2_000) < 0.3).astype(float)
    subject = Subject(truth=truth, prediction=np.full(2_000, 0.3))
    loss = measure([LogLoss()], {"all": subject}, entity_weights(np.arange(2_000), resamples=2_000, seed="s"))["all"]
    estimate = loss["log_loss"].estimate()
    losses = np.where(truth > 0, -np.log(0.3), -np.log(0.7))
    half = 1.96 * losses.std() / np.sqrt(2_000)
    assert estimate.value == pytest.approx(losses.mean())
    assert estimate.high - estimate.low == pytest.approx(2 * half, rel=0.1)


def test_a_subject_of_some_rows_has_the_weights_of_those():
    draw = np.random.default_rng(0)
    truth, prediction, rows = (draw.random(40) < 0.5).astype(float), draw.random(40), np.arange(0, 40, 2)
    drawn = weights(np.arange(40), resamples=30)
    part = Subject(truth=truth[rows], prediction=prediction[rows], rows=rows)
    measured = measure([RocAuc()], {"part": part}, [drawn])["part"]["roc_auc"]
    assert np.array_equal(measured.drawn, RocAuc().resample(truth[rows], prediction[rows], drawn[:, rows]))


def test_better_is_positive_in_both_directions():
    one, other = (Measured(value=value, drawn=np.array([value])) for value in (0.7, 0.5))
    assert one.better(other, "maximize").value == pytest.approx(0.2)
    assert one.better(other, "minimize").drawn.tolist() == pytest.approx([-0.2])


@pytest.mark.parametrize(("undefined", "has_interval"), [(5, True), (6, False), (100, False)])
def test_an_interval_needs_resamples_in_which_the_metric_is_defined(undefined, has_interval):
    drawn = np.where(np.arange(100) < undefined, np.nan, 0.5)
    estimate = Measured(value=0.5, drawn=drawn).estimate()
    assert (estimate.low is not None) is has_interval
    assert estimate.value == 0.5


def test_groups_are_drawn_where_entities_would_cut_them():
    assert together(ENTITY, None) is ENTITY
    within = np.array([1, 2, 3, 4, 5, 1, 6])
    assert together(ENTITY, within) is ENTITY
    across = np.array([1, 1, 1, 2, 2, 2, 2])
    assert together(ENTITY, across) is across


def test_a_ranking_is_measured_group_by_group():
    draw = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 5)
    truth, score = draw.integers(0, 3, 200).astype(float), draw.random(200)
    subject = Subject(truth=truth, prediction=score, group=group)
    found = measure([NDCG()], {"model": subject}, entity_weights(group, resamples=100, seed="s"))["model"]["ndcg_at_10"]
    estimate = found.estimate()
    assert estimate.low < estimate.value < estimate.high
    assert estimate.value == NDCG().score(truth, score, group)
