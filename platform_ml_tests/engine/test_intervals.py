"""Conformal intervals: the law that they keep, what they are kept apart from, and what is stored of them."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.engine.intervals import FILE, Calibrated, kept_apart
from platform_ml.engine.registered_model import RegisteredModel
from platform_ml.engine.tuned_model import digest_of, files_in, fitted, intervals_in, refit, save, train
from platform_ml.families import Average, Persistence
from platform_ml.spec.errors import RowsError, StoreError
from platform_ml.spec.intervals import Conformal
from platform_ml.spec.task import REGRESSION
from platform_ml.testing.declarations import spend_model
from platform_ml.testing.families import invented

SPENT, RECENCY = spend_model.dataset.view.feature_names
MODEL = replace(spend_model, family=Average(), intervals=Conformal(coverage=0.8, min_rows=20))


def rows(seed, count=200, noise=None):
    """Numbers around ten times the feature, with noise that differs between kinds."""
    draw, plain = np.random.default_rng(seed), invented(seed, rows=count, task=REGRESSION)
    kind = draw.choice(["calm", "wild"], size=count, p=[0.8, 0.2])
    amount = draw.uniform(1, 10, count)
    sigma = np.where(kind == "wild", 5.0, 1.0) if noise is None else noise(amount)
    features = pa.table({"amount": amount, "kind": kind})
    return replace(plain, features=features, label=10 * amount + sigma * draw.normal(size=count))


@dataclass(frozen=True)
class Tenfold:
    """Right but for the noise."""

    def predict(self, rows):
        return 10 * rows["amount"].to_numpy()


def measured(declared, draws=150, count=60, **more):
    """The share of truths within, of all rows and of the wild ones, over many calibrations."""
    inside, wild = [], []
    for seed in range(draws):
        found = Calibrated.of(declared, Tenfold(), rows(seed, count, **more))
        test = rows(10_000 + seed, 300, **more)
        low, high = found.bounds(Tenfold().predict(test.features), test.features).T
        held = (test.label >= low) & (test.label <= high)
        inside.append(held.mean())
        wild.append(held[np.array(test.features["kind"].to_pylist()) == "wild"].mean())
    return np.mean(inside), np.mean(wild)


def test_the_promise_holds_on_average_and_is_hardly_exceeded():
    """Lei et al. (2018), theorem 2.2: between the coverage and 1 / (n + 1) more, here up to 4 standard errors."""
    share, wild = measured(Conformal(coverage=0.9, min_rows=9))
    assert 0.9 - 0.013 < share < 0.9 + 1 / 61 + 0.013
    assert wild < 0.75  # all rows together promise nothing of some of them


def test_by_group_it_holds_within_each_group():
    share, wild = measured(Conformal(coverage=0.8, by=("kind",), min_rows=4), count=150)
    assert 0.78 < share < 0.84
    assert 0.78 < wild < 0.86


def test_relative_ranges_grow_with_the_prediction():
    share, _ = measured(Conformal(coverage=0.9, relative=True, min_rows=9), draws=60, noise=lambda amount: amount)
    assert 0.88 < share < 0.94
    found = Calibrated.of(Conformal(relative=True), Tenfold(), rows(1, noise=lambda amount: amount))
    low, high = found.bounds(np.array([10.0, 100.0, -100.0]), pa.table({"amount": [1.0, 10.0, -10.0]})).T
    assert (high - low).tolist() == pytest.approx([20 * found.widths[0].half, *[200 * found.widths[0].half] * 2])


def test_small_groups_and_those_that_were_not_met_have_the_width_of_all_rows():
    found = Calibrated.of(Conformal(by=("kind",), min_rows=100), Tenfold(), rows(3))
    whole, calm, wild = found.widths
    assert (calm.group, calm.own, wild.group, wild.own) == ("calm", True, "wild", False)
    assert wild.half == whole.half > calm.half
    assert whole.rows == 200 == calm.rows + wild.rows
    features = pa.table({"amount": [0.0] * 3, "kind": ["calm", "wild", "odd"]})
    assert found.bounds(np.zeros(3), features)[:, 1].tolist() == [calm.half, whole.half, whole.half]


def test_too_few_rows_and_errors_that_are_no_numbers_are_refused():
    with pytest.raises(RowsError, match="need 9 validation rows kept apart, and there are 8"):
        Calibrated.of(Conformal(), Tenfold(), rows(1, 8))
    odd = rows(1)
    with pytest.raises(RowsError, match="not finite, or is 0"):
        Calibrated.of(Conformal(), Tenfold(), replace(odd, label=np.full(200, np.nan)))


def test_an_entity_is_on_one_side_whatever_the_rows():
    validation = replace(rows(5, 400), entity=np.arange(400) // 4)
    judge, apart = kept_apart(Conformal(share=0.25), validation, seed=3)
    assert not set(judge.entity) & set(apart.entity)
    assert len(judge.label) + len(apart.label) == 400
    assert 40 < len(apart.label) < 160
    fewer, less = kept_apart(Conformal(share=0.25), validation.taken(np.arange(0, 400, 3)), seed=3)
    assert set(less.entity) <= set(apart.entity)
    assert set(fewer.entity) <= set(judge.entity)
    named = replace(validation, called=pa.chunked_array([[f"athlete {n // 4}" for n in range(400)]]))
    one, other = (kept_apart(Conformal(), named, seed=seed)[1] for seed in (3, 4))
    assert set(one.entity) != set(other.entity)


@dataclass(frozen=True, kw_only=True)
class Watching(Average):
    """Says what it was shown."""

    shown: ClassVar[list] = []

    def fit(self, train, validation, **more):
        self.shown.append((len(train.label), set(validation.entity)))
        return super().fit(train, validation, **more)


@pytest.fixture(scope="module")
def splits():
    made = {"train": invented(1, task=REGRESSION), "validation": invented(2, task=REGRESSION)}
    taken = {name: one.features.select(["amount", "recency"]) for name, one in made.items()}
    return {name: replace(one, features=taken[name].rename_columns([SPENT, RECENCY])) for name, one in made.items()}


@pytest.fixture(scope="module")
def trained(splits):
    return train(MODEL, splits, progress=lambda _: None)


def test_neither_the_search_nor_the_fit_sees_what_is_kept_apart(splits):
    Watching.shown.clear()
    made = train(replace(MODEL, family=Watching()), splits, progress=lambda _: None)
    _, apart = kept_apart(MODEL.intervals, splits["validation"], seed=MODEL.seed)
    assert made.intervals.widths[0].rows == len(apart.label) > 150
    assert Watching.shown
    assert all(not seen & set(apart.entity) for _, seen in Watching.shown)
    off = np.sort(np.abs(apart.label - splits["train"].label.mean()))
    assert made.intervals.widths[0].half == pytest.approx(off[int(np.ceil(0.8 * (len(off) + 1))) - 1])


def test_they_are_stored_with_the_model_and_are_part_of_what_it_is_called(trained, splits, tmp_path):
    artifact = Folders(tmp_path).publish("m", "a" * 64, {}, lambda folder: save(trained, folder))
    assert (artifact.folder / FILE).read_text().startswith("{")
    assert intervals_in(artifact.folder, MODEL) == trained.intervals
    files = files_in(artifact.folder)
    before = digest_of(files, dataset="d", declared="f")
    assert before != digest_of({name: file for name, file in files.items() if name != FILE}, dataset="d", declared="f")
    predictor, _ = fitted(MODEL, artifact)
    again = refit(MODEL, splits, name=MODEL.family.name, params=trained.params)
    assert again.intervals == trained.intervals
    with pytest.raises(StoreError, match="of other intervals than are declared"):
        intervals_in(artifact.folder, replace(MODEL, intervals=Conformal(coverage=0.9)))
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(StoreError, match="holds no intervals"):
        Calibrated.load(MODEL.intervals, tmp_path / FILE)
    assert predictor.predict(splits["train"].features).tolist() == [splits["train"].label.mean()] * 400


def test_a_registered_model_says_them(trained, splits):
    columns = {name: splits["train"].features.schema.field(name).type for name in (SPENT, RECENCY)}
    model = RegisteredModel(
        name="shop/spend", version=1, stage="champion", columns=columns, classes=(), manifest={},
        predictor=trained.predictor, intervals=trained.intervals,
    )  # fmt: skip
    features = splits["validation"].features
    half, middle = trained.intervals.widths[0].half, model.predict(features)
    assert model.predict_interval(features).tolist() == np.column_stack([middle - half, middle + half]).tolist()
    with pytest.raises(RowsError, match="shop/spend@1 was declared without intervals"):
        replace(model, intervals=None).predict_interval(features)


def test_a_model_without_intervals_has_no_file_of_them(splits, tmp_path):
    plain = train(replace(MODEL, intervals=None, family=Persistence(feature=SPENT)), splits, progress=lambda _: None)
    save(plain, tmp_path)
    assert not (tmp_path / FILE).exists()
    assert intervals_in(tmp_path, replace(MODEL, intervals=None)) is None
