"""Which rows families learn from; preparations and chosen features have test files of their own."""

from dataclasses import replace

import numpy as np
import pytest

from platform_ml.engine.fitting import Fitting
from platform_ml.engine.tuned_model import train
from platform_ml.preparations import Scale
from platform_ml.resamplings import Oversample, Undersample
from platform_ml_tests.engine.choosing import COUNT, MODEL, quiet, rows


@pytest.fixture(scope="module")
def splits():
    rare = rows(1)
    kept = np.flatnonzero((rare.label == 0) | (np.arange(400) % 4 == 0))
    return {"train": rare.taken(kept), "validation": rows(2)}


@pytest.mark.parametrize(("resampling", "more"), [(Oversample(), True), (Undersample(), False)])
def test_training_rows_are_drawn_and_no_others(splits, resampling, more):
    fitting = Fitting.of(replace(MODEL, resampling=resampling), splits)
    assert (fitting.learn.label == 1).sum() == (fitting.learn.label == 0).sum()
    assert (len(fitting.learn.label) > len(splits["train"].label)) == more
    assert fitting.judge is splits["validation"]
    places = resampling.rows(splits["train"].label, seed=MODEL.seed)
    assert fitting.learn.features.equals(splits["train"].features.take(places))
    assert fitting.learn.entity.tolist() == splits["train"].entity[places].tolist()
    assert len(fitting.learn.event_time) == len(places)


def test_preparations_learn_from_each_row_once(splits):
    scaled = replace(MODEL, preparations=(Scale(of=(COUNT,)),))
    drawn = Fitting.of(replace(scaled, resampling=Oversample()), splits)
    assert drawn.prepared == Fitting.of(scaled, splits).prepared


def test_the_seed_draws_and_baselines_see_each_row_once(splits):
    model = replace(MODEL, resampling=Undersample())
    first, again = (train(model, splits, progress=quiet) for _ in range(2))
    test = splits["validation"].features
    assert first.predictor.predict(test).tolist() == again.predictor.predict(test).tolist()
    other = Fitting.of(replace(model, seed=1), splits).learn
    assert not other.features.equals(Fitting.of(model, splits).learn.features)
    assert first.baselines["majority"].value == splits["train"].label.mean()
    plain = train(MODEL, splits, progress=quiet)
    assert first.predictor.predict(test).mean() > plain.predictor.predict(test).mean()


def test_rows_are_taken_with_all_that_goes_with_them(splits):
    given = replace(splits["train"], weight=np.arange(len(splits["train"].label), dtype=float))
    given.cache["matrix"] = 1
    some = given.taken(np.array([3, 3, 5]))
    assert some.weight.tolist() == [3.0, 3.0, 5.0]
    assert some.features.num_rows == 3
    assert some.task is given.task
    assert some.cache == {}
