"""The laws of families that learn from all features: a member's test class inherits them, one for each task."""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import logit

from platform_ml.engine.portable import run
from platform_ml.metrics import MacroRocAuc
from platform_ml.spec.errors import NotPortable, PlatformError, RowsError, StoreError
from platform_ml.spec.family import Categorical, Portable
from platform_ml.spec.task import BINARY, MULTICLASS, RANKING, REGRESSION
from platform_ml.testing.families import (
    FEATURES,
    FamilyContract,
    MulticlassFamilyContract,
    RankingFamilyContract,
    RegressionFamilyContract,
    invented,
)

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.family import Family, Predictor
    from platform_ml.spec.task import Task

SHOPS = ("north", "south", "west", 'é, "ü"')


def with_shop(rows: SplitRows, seed: int = 5) -> SplitRows:
    """The rows with a category that matters, a tenth of it null."""
    draw = np.random.default_rng(seed)
    place = draw.integers(0, len(SHOPS), len(rows.label))
    gone = draw.random(len(place)) < 0.1
    shops = pa.array([None if gone[row] else SHOPS[at] for row, at in enumerate(place)], pa.string())
    south = (place == 1) & ~gone
    likely = (draw.random(len(place)) < 0.95).astype(np.float64)
    there = {BINARY: likely, REGRESSION: rows.label + 10, MULTICLASS: 1 - likely, RANKING: rows.label + 4}
    label = np.where(south, there[rows.task], rows.label)
    return replace(rows, features=rows.features.append_column("shop", shops), label=label, cache={})


def quality(rows: SplitRows, prediction: Any) -> float:
    """Share of pairs in order (of a group, of a class and others), or of variance explained: 1 is perfect."""
    if rows.task is MULTICLASS:
        return MacroRocAuc().score(rows.label, prediction)
    if rows.task is RANKING and rows.group is not None:
        more = (rows.group[:, None] == rows.group) & (rows.label[:, None] > rows.label)
        return float((prediction[:, None] > prediction)[more].mean())
    if rows.task is BINARY:
        up, down = prediction[rows.label == 1], prediction[rows.label == 0]
        return float((up[:, None] > down).mean() + (up[:, None] == down).mean() / 2)
    return float(1 - ((rows.label - prediction) ** 2).mean() / rows.label.var())


def leaning(rows: SplitRows, prediction: Any) -> Any:
    """(n,) the prediction, of several classes the probability of the first."""
    return prediction[:, 0] if rows.task is MULTICLASS else prediction


class Learning:
    """What every family promises that learns from all features."""

    module: ModuleType
    """Where it is; has THREADS when it must not obey PLATFORM_ML_THREADS."""
    library: str = ""
    """What is imported by name, and comes with an extra."""
    params: Any
    task: Task
    link: bool = True
    """Whether contributions to a binary label are in log odds."""
    learns: float
    """The quality that it reaches at least on rows that it never saw."""

    def fit(self, family: Any, train: SplitRows, validation: SplitRows, seed: int = 7) -> Any:
        """As the family contract has it."""
        raise NotImplementedError

    def test_every_field_is_a_hyper_parameter(self, family: Any) -> None:
        assert set(self.params) | {"loss"} >= {item.name for item in fields(family)} >= set(self.params)

    def test_it_learns(self, fitted: Predictor) -> None:
        unseen = invented(3, rows=1_000, task=self.task)
        assert quality(unseen, fitted.predict(unseen.features)) > self.learns

    def test_threads_change_nothing(
        self, family: Family, train: SplitRows, validation: SplitRows, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not hasattr(self.module, "THREADS"):
            monkeypatch.setenv("OMP_NUM_THREADS", "4")
        found = []
        for threads in (1, 2, 4):
            monkeypatch.setenv("PLATFORM_ML_THREADS", str(threads))
            if hasattr(self.module, "THREADS"):
                monkeypatch.setattr(self.module, "THREADS", threads)
            fitted = self.fit(family, replace(train, cache={}), replace(validation, cache={}))
            found.append(fitted.predict(validation.features).tolist())
        assert found[0] == found[1] == found[2]

    def test_the_matrix_is_built_once(self, family: Family, train: SplitRows, validation: SplitRows) -> None:
        self.fit(family, train, validation)
        before = dict(train.cache), dict(validation.cache)
        self.fit(family, train, validation, seed=8)
        assert before[0]
        assert all(train.cache[key] is value for key, value in before[0].items())
        assert all(validation.cache[key] is value for key, value in before[1].items())

    def test_contributions_add_up_to_the_prediction(self, fitted: Predictor, validation: SplitRows) -> None:
        contributions = fitted.contributions(validation.features)
        assert contributions is not None
        if self.task is MULTICLASS:  # sizes, averaged over the classes, have no sum
            assert (contributions >= 0).all()
            assert contributions[:, :2].mean() > 2 * contributions[:, 2:].mean()
            return
        prediction = fitted.predict(validation.features)
        if self.task is BINARY and self.link:
            prediction = logit(prediction)
        base = prediction - contributions.sum(axis=1)
        np.testing.assert_allclose(base, base[0], atol=1e-4)

    def test_infinity_is_refused_when_predicting(self, fitted: Predictor, validation: SplitRows) -> None:
        values = pa.array([float("-inf")] + [0.0] * 199)
        rows = validation.features.set_column(FEATURES.index("noise"), "noise", values)
        with pytest.raises(RowsError, match="'noise' has infinite"):
            fitted.predict(rows)

    def test_a_file_of_other_features_is_refused(self, family: Family, fitted: Predictor, tmp_path: Path) -> None:
        file = fitted.save(tmp_path)
        with pytest.raises(StoreError, match="other features"):
            family.load(file, FEATURES[::-1])

    @pytest.mark.parametrize("content", [b"no model", b"", b"{}"])
    def test_another_file_is_refused(self, family: Family, fitted: Predictor, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / fitted.save(tmp_path).name
        file.write_bytes(content)
        with pytest.raises(StoreError, match="Materialize the model again"):
            family.load(file, FEATURES)

    def test_half_a_file_is_refused(self, family: Family, fitted: Predictor, tmp_path: Path) -> None:
        file = fitted.save(tmp_path)
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        with pytest.raises(StoreError, match="Materialize the model again"):
            family.load(file, FEATURES)

    def test_validation_labels_are_looked_at(self, family: Family, train: SplitRows, validation: SplitRows) -> None:
        with pytest.raises(RowsError, match=r"validation split are (0|'high')"):
            self.fit(family, train, replace(validation, label=np.zeros_like(validation.label), cache={}))

    def test_rows_that_weigh_more_pull_harder(self, family: Family, train: SplitRows, validation: SplitRows) -> None:
        if self.task is RANKING:
            self.groups_that_weigh_more_pull_harder(family, train, validation)
            return
        high = train.label == 0 if self.task is MULTICLASS else train.label > train.label.mean()
        means = []
        for factor in (1.0, 20.0):
            weighed = replace(train, weight=np.where(high, factor, 1.0), cache={})
            fitted = self.fit(family, weighed, replace(validation, cache={}))
            means.append(leaning(validation, fitted.predict(validation.features)).mean())
        assert means[1] > means[0]

    def groups_that_weigh_more_pull_harder(self, family: Family, train: SplitRows, validation: SplitRows) -> None:
        """In every other group relevance is turned round; what is learned is what most weight says."""
        assert train.group is not None
        odd = train.group % 2 == 1
        turned = np.where(odd, train.label.max() - train.label, train.label)
        found = []
        for weight in (np.where(odd, 20.0, 1.0), np.where(odd, 1.0, 20.0)):
            rows = replace(train, label=turned, weight=weight, cache={})
            fitted = self.fit(family, rows, replace(validation, cache={}))
            found.append(quality(validation, fitted.predict(validation.features)))
        assert found[0] < 0.5 < found[1]

    def test_a_weight_of_one_is_no_weight(self, family: Family, train: SplitRows, validation: SplitRows) -> None:
        weighed = replace(train, weight=np.ones(len(train.label)), cache={})
        found = [
            self.fit(family, rows, replace(validation, cache={})).predict(validation.features)
            for rows in (train, weighed)
        ]
        np.testing.assert_allclose(found[0], found[1], atol=1e-5)

    def test_without_its_library_it_says_what_to_install(
        self, family: Family, train: SplitRows, validation: SplitRows, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not self.library:
            return
        monkeypatch.setitem(sys.modules, self.library, None)
        with pytest.raises(PlatformError, match=rf"pip install 'platform_ml\[{self.library}\]'"):
            self.fit(family, train, validation)


class Categories:
    """What every family promises of texts."""

    task: Task
    learns_categories: float
    """The quality that it reaches at least on rows that it never saw, with a category that matters."""

    def fit(self, family: Any, train: SplitRows, validation: SplitRows, seed: int = 7) -> Any:
        """As the family contract has it."""
        raise NotImplementedError

    @pytest.fixture
    def shops(self, family: Family) -> Any:
        """The member, fitted on rows with a category, once for all laws."""
        known = vars(self.__class__).get("_shops")
        if known is None or known[0] != family:
            train, validation = invented(1, rows=800, task=self.task), invented(2, rows=200, task=self.task)
            known = family, self.fit(family, with_shop(train), with_shop(validation, seed=6))
            setattr(self.__class__, "_shops", known)  # noqa: B010 - no field of the contract
        return known[1]

    def test_a_category_is_learned(self, shops: Predictor) -> None:
        unseen = with_shop(invented(3, rows=1_000, task=self.task), seed=7)
        prediction = shops.predict(unseen.features)
        assert quality(unseen, prediction) > self.learns_categories
        leans = leaning(unseen, prediction)
        south = np.asarray(unseen.features["shop"].fill_null("").to_numpy() == "south")
        assert leans[south].mean() > leans[~south].mean() + 0.2

    def test_what_was_never_seen_is_taken_as_missing_and_counted(self, shops: Any) -> None:
        rows = with_shop(invented(3, rows=50, task=self.task)).features
        place = rows.column_names.index("shop")
        new = rows.set_column(place, "shop", pa.array(["Mars", None] * 25))
        gone = rows.set_column(place, "shop", pa.nulls(50, pa.string()))
        assert shops.predict(new).tolist() == shops.predict(gone).tolist()
        assert isinstance(shops, Categorical)
        assert shops.unseen(new) == {"shop": 25}
        assert shops.unseen(rows) == {}

    def test_categories_are_read_back(self, family: Family, shops: Predictor, tmp_path: Path) -> None:
        rows = with_shop(invented(3, rows=50, task=self.task)).features
        again = family.load(shops.save(tmp_path), (*FEATURES, "shop"))
        assert again.predict(rows).tolist() == shops.predict(rows).tolist()
        encoded = rows.set_column(4, "shop", rows["shop"].dictionary_encode())
        assert again.predict(encoded).tolist() == shops.predict(rows).tolist()

    def test_contributions_know_the_category(self, shops: Predictor) -> None:
        rows = with_shop(invented(3, rows=100, task=self.task)).features
        contributions = shops.contributions(rows)
        assert contributions is not None
        assert contributions.shape == (100, 5)
        assert np.abs(contributions[:, 4]).mean() > 2 * np.abs(contributions[:, 3]).mean()

    def test_a_number_is_no_category(self, shops: Predictor) -> None:
        rows = with_shop(invented(3, rows=50, task=self.task)).features
        with pytest.raises(RowsError, match="'shop' is int64, but in training it was text"):
            shops.predict(rows.set_column(4, "shop", pa.array([1] * 50)))


class Graphs:
    """What every family promises of its ONNX graph."""

    task: Task

    def fit(self, family: Any, train: SplitRows, validation: SplitRows, seed: int = 7) -> Any:
        """As the family contract has it."""
        raise NotImplementedError

    def test_its_graph_predicts_the_same(self, fitted: Any) -> None:
        rows = invented(4, rows=2_000, task=self.task).features
        expected = fitted.predict(rows)
        found = run(fitted.onnx(), fitted.inputs(rows))
        assert isinstance(fitted, Portable)
        np.testing.assert_allclose(found, expected, atol=1e-5 * max(1.0, np.abs(expected).max()))

    def test_its_graph_is_the_same_bytes(self, fitted: Any) -> None:
        assert fitted.onnx() == fitted.onnx()

    def test_its_graph_knows_categories_or_says_that_it_does_not(self, family: Family) -> None:
        train, validation = (with_shop(invented(seed, rows=300, task=self.task)) for seed in (1, 2))
        fitted = self.fit(family, train, validation)
        try:
            graph = fitted.onnx()
        except NotPortable as reason:
            assert "shop" in str(reason)  # noqa: PT017 - one of both has to hold
            return
        rows = with_shop(invented(3, rows=500, task=self.task)).features
        np.testing.assert_allclose(run(graph, fitted.inputs(rows)), fitted.predict(rows), atol=1e-4)


class BinaryLearnerContract(Learning, Categories, Graphs, FamilyContract):
    """All laws, of a binary label."""

    learns = 0.74
    learns_categories = 0.84

    fit = FamilyContract.fit


class NumberLearnerContract(Learning, Categories, Graphs, RegressionFamilyContract):
    """All laws, of a label of numbers."""

    learns = 0.82
    learns_categories = 0.96

    fit = RegressionFamilyContract.fit


class MulticlassLearnerContract(Learning, Categories, Graphs, MulticlassFamilyContract):
    """All laws, of a label of several classes."""

    learns = 0.91
    learns_categories = 0.92

    fit = MulticlassFamilyContract.fit


class RankingLearnerContract(Learning, Categories, Graphs, RankingFamilyContract):
    """All laws, of a label that is ranked within groups."""

    learns = 0.85
    learns_categories = 0.91

    fit = RankingFamilyContract.fit
