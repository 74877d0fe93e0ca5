from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pytest

from platform_ml.engine.cross_validation import corrected_interval, cross_validate, prepared, read_folds, settled
from platform_ml.engine.training_dataset import materialize_training_dataset
from platform_ml.families import Linear, XGBoost
from platform_ml.preparations import Clip
from platform_ml.spec.tuner import TriedParams
from platform_ml.splitters import ByEntity, ByTime, Stratified
from platform_ml.testing.families import invented
from platform_ml_tests.engine.shop import CUTOFF, lapse_dataset, lapse_view, rows_of
from platform_ml_tests.engine.test_tuned_model import MODEL, RECENCY, SPENT, quiet

BEST = TriedParams(number=0, params={"max_rounds": 50, "eta": 0.1}, score=0.8, steps=(0.5, 0.7, 0.7, 0.6), seconds=1.0)
PARAMS = {
    name: value
    for name, value in vars(
        XGBoost(max_depth=3, learning_rate=0.2, min_child_weight=1.0, subsample=1.0, colsample_bytree=1.0)
    ).items()
    if not name.startswith("_")
} | {"reg_lambda": 1.0, "reg_alpha": 0.1, "max_rounds": 20, "early_stopping_rounds": 5}
FITTED = replace(BEST, params=PARAMS, steps=tuple(np.linspace(0.5, 0.8, 8)))


def fold(seed, rows=200):
    def split(number):
        made = invented(number, rows=rows)
        features = made.features.select(["amount", "recency"]).rename_columns([SPENT, RECENCY])
        return replace(made, features=features)

    return {"train": split(seed), "validation": split(seed + 100)}


def one_class(rows):
    return replace(rows, label=np.ones(len(rows.label)))


@pytest.fixture(scope="module")
def scored():
    folds = [fold(1), fold(2), fold(3) | {"validation": one_class(fold(3)["validation"])}]
    said = []
    return cross_validate(MODEL, FITTED, prepared(MODEL, folds), progress=said.append), said


def test_every_fold_is_there_with_its_score_or_its_reason(scored):
    found, said = scored
    assert [one.number for one in found.folds] == [1, 2, 3]
    assert all(0.6 < score < 1 for score in found.scores)
    assert found.folds[2].score is None
    assert "all 200 labels of its validation split are 1. With one class" in found.folds[2].reason
    assert (found.mean, found.std) == pytest.approx((np.mean(found.scores), np.std(found.scores, ddof=1)))
    assert said[0] == f"lapse_model: fold 1 of 3: ROC AUC {found.scores[0]:.4f}"
    assert "With one class" in said[2]


def test_of_no_scored_fold_there_is_no_mean(scored):
    found = replace(scored[0], folds=scored[0].folds[2:])
    assert (found.mean, found.std, found.to_plain()["mean"]) == (None, None, None)
    assert replace(scored[0], folds=scored[0].folds[:1]).std is None


def test_the_same_folds_give_the_same_scores(scored):
    again = cross_validate(MODEL, FITTED, prepared(MODEL, [fold(1), fold(2)]), progress=quiet)
    assert again.scores == scored[0].scores


def test_the_judged_rows_change_nothing_about_a_fit():
    """With every judged label turned around the same predictions score the opposite: nothing was stopped by them."""
    rows = fold(1)
    turned = replace(rows["validation"], label=1 - rows["validation"].label, cache={})
    folds = prepared(MODEL, [rows, rows | {"validation": turned}])
    straight, opposite = cross_validate(MODEL, FITTED, folds, progress=quiet).scores
    assert opposite == pytest.approx(1 - straight)


def test_preparations_are_learned_of_the_folds_own_rows():
    model = replace(MODEL, preparations=(Clip(of=(SPENT,), low=0.05, high=0.95),))
    states = [one.fitting.prepared.states for one in prepared(model, [fold(1), fold(2)])]
    assert states[0] != states[1]


def test_a_fit_takes_as_many_steps_as_the_search_found_best():
    params, said = settled(BEST)
    assert params == {"max_rounds": 2, "eta": 0.1}
    assert "at most 2 steps (max_rounds)" in said
    assert settled(replace(BEST, steps=()))[0] == BEST.params
    params, said = settled(replace(BEST, params={"penalty": 0.1}))
    assert params == {"penalty": 0.1}
    assert "training rows in place of validation rows" in said


def test_the_corrected_interval_is_that_of_nadeau_and_bengio():
    """t(0.975; 4) = 2.776; the variance is 2.5e-4 and is scaled by 1/5 + 1/4."""
    leads = np.asarray([0.01, 0.02, 0.03, 0.04, 0.05])
    middle, low, high = corrected_interval(leads, ratio=0.25, confidence=0.95)
    half = 2.7764451 * (0.45 * 2.5e-4) ** 0.5
    assert (middle, low, high) == pytest.approx((0.03, 0.03 - half, 0.03 + half))
    assert corrected_interval(leads[:1], ratio=0.25, confidence=0.95) is None


WHY = "The model scores customers that it knows."


@pytest.mark.parametrize(
    "splitter", [ByTime(validation_days=7), ByEntity(), Stratified()], ids=lambda one: str(one)[:9]
)
def test_folds_go_by_the_splitters_own_rule(shop, splitter):
    why = None if splitter.by_time else WHY
    dataset = replace(lapse_dataset, splitter=splitter, random_split_because=why)
    artifact = materialize_training_dataset(dataset, CUTOFF, work=shop, made_by={}).artifact
    model = replace(MODEL, dataset=dataset, baselines=MODEL.baselines[1:], family=Linear(penalty=0.1), folds=3)
    folds = read_folds(model, CUTOFF, artifact, work=shop)
    assert len(folds) == 3
    held_out = 0
    for rows in folds:
        train, judged = rows["train"], rows["validation"]
        held_out += len(judged.label)
        assert train.features.column_names == lapse_view.feature_names
        if splitter.by_time:
            gap = pc.min(judged.event_time).as_py() - pc.max(train.event_time).as_py()
            assert gap.days >= dataset.gap_days == 14
    tested = artifact.record["split"]["splits"]["test"]
    rows = len(rows_of(shop, lapse_view))
    if splitter.by_time:
        assert max(pc.max(one["validation"].event_time).as_py() for one in folds).date().isoformat() < tested["first"]
    else:
        assert held_out == rows - tested["rows"], "each row that is not for testing is judged once"
    assert read_folds(replace(model, folds=None), CUTOFF, artifact, work=shop) == []
