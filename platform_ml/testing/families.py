"""The laws of model families: a member's test class inherits them."""

from __future__ import annotations

import hashlib
from dataclasses import FrozenInstanceError, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.engine.rows import SplitRows
from platform_ml.spec.errors import RowsError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.naming import check_name
from platform_ml.spec.task import BINARY, MULTICLASS, RANKING, REGRESSION, Task

if TYPE_CHECKING:
    from pathlib import Path

    from platform_ml.spec.family import Family, Predictor

FEATURES = ("recency", "amount", "student", "noise")
PICKLE = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")
"""How pickles begin, and the zip files that some libraries hide them in."""
CLASSES = ("high", "low", "middle")
"""Invented ones, whose order by name is not that of what they mean."""


def invented(seed: int, rows: int = 400, task: Task = BINARY) -> SplitRows:
    """Rows whose label follows `recency` and `amount`; a tenth of each feature is null.

    Classes are cut out of a noisy number; relevances are 0 to 4, in groups of about 8 rows that lie anywhere.
    """
    draw = np.random.default_rng(seed)
    recency, amount = draw.gamma(2.0, 10.0, rows), draw.normal(size=rows)
    chance = 1 / (1 + np.exp(-(recency - 20) / 8 + amount))
    missing = draw.random((rows, len(FEATURES))) < 0.1
    columns: dict[str, Any] = {
        "recency": recency.round().astype(np.int64),
        "amount": amount,
        "student": draw.random(rows) < 0.5,
        "noise": draw.normal(size=rows),
    }
    total = amount + recency / 10
    labels = {
        BINARY: (draw.random(rows) < chance).astype(np.float64) if task is BINARY else total,
        REGRESSION: total,
        MULTICLASS: np.array([1.0, 2.0, 0.0])[np.digitize(total + draw.normal(0, 0.3, rows), [1.2, 2.6])],
        RANKING: np.clip(np.round(total + draw.normal(0, 0.3, rows)), 0, 4),
    }
    return SplitRows(
        features=pa.table({name: pa.array(columns[name], mask=missing[:, n]) for n, name in enumerate(FEATURES)}),
        label=labels[task],
        entity=np.arange(rows),
        event_time=pa.chunked_array([pa.nulls(rows, pa.timestamp("us", tz="UTC"))]),
        helpers=pa.table({}),
        task=task,
        classes=CLASSES if task is MULTICLASS else (),
        group=draw.integers(0, max(1, rows // 8), rows) if task is RANKING else None,
    )


class FamilyContract:
    """What every family promises, of a binary label."""

    task: Task = BINARY

    params: Any = None
    """A value for every field; a subclass may leave it, when the family has no ranges."""
    highest: float = 1.0
    """1 for probabilities; a family that only ranks has another one."""

    @pytest.fixture
    def family(self) -> Family:
        """The member under test, fit for `FEATURES`."""
        raise NotImplementedError

    @pytest.fixture
    def train(self) -> SplitRows:
        """Rows to learn from."""
        return invented(1, task=self.task)

    @pytest.fixture
    def validation(self) -> SplitRows:
        """Rows to stop by."""
        return invented(2, rows=200, task=self.task)

    @pytest.fixture
    def fitted(self, family: Family, train: SplitRows, validation: SplitRows) -> Predictor:
        """The member, fitted once for all laws: a predictor cannot be changed."""
        known = vars(self.__class__).get("_fitted")
        if known is None or known[0] != family:
            known = family, self.fit(family, replace(train, cache={}), replace(validation, cache={}))
            setattr(self.__class__, "_fitted", known)  # noqa: B010 - no field of the contract
        fitted: Predictor = known[1]
        return fitted

    def fit(self, family: Any, train: SplitRows, validation: SplitRows, seed: int = 7) -> Predictor:
        """Fit with plain values."""
        params = self.params or {item.name: getattr(family, item.name) for item in fields(family)}
        fitted: Predictor = family.fit(train, validation, params=params, seed=seed)
        return fitted

    def test_says_what_it_is(self, family: Family) -> None:
        check_name("Family", family.name)
        assert self.task in family.tasks
        assert fingerprint(family) == fingerprint(family)
        assert set(family.columns() or ()) <= set(FEATURES)

    def test_cannot_be_changed(self, family: Any) -> None:
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            family.anything = 1

    def test_one_prediction_for_each_row(self, fitted: Predictor, validation: SplitRows) -> None:
        prediction = fitted.predict(validation.features)
        width = (len(validation.classes),) if validation.classes else ()
        assert prediction.shape == (*validation.label.shape, *width)
        assert fitted.predict(validation.features.slice(0, 0)).shape == (0, *width)
        assert prediction.dtype == np.float64
        assert np.isfinite(prediction).all()
        if self.task is BINARY:
            assert ((prediction >= 0) & (prediction <= self.highest)).all()
        if width:
            assert (prediction >= 0).all()
            np.testing.assert_allclose(prediction.sum(axis=1), 1, atol=1e-5)

    def test_a_row_is_predicted_alike_alone_and_among_others(self, fitted: Predictor, validation: SplitRows) -> None:
        together = fitted.predict(validation.features)
        alone = [fitted.predict(validation.features.slice(row, 1))[0].tolist() for row in range(20)]
        assert together[:20].tolist() == alone

    def test_columns_are_found_by_name(self, fitted: Predictor, validation: SplitRows) -> None:
        turned = validation.features.select(FEATURES[::-1]).append_column("more", pa.nulls(200, pa.string()))
        assert fitted.predict(turned).tolist() == fitted.predict(validation.features).tolist()

    def test_nulls_are_accepted(self, fitted: Predictor, validation: SplitRows) -> None:
        features = validation.features
        empty = pa.table({name: pa.nulls(3, features.schema.field(name).type) for name in FEATURES})
        assert np.isfinite(fitted.predict(empty)).all()

    def test_same_seed_same_bytes(
        self, family: Family, train: SplitRows, validation: SplitRows, tmp_path: Path
    ) -> None:
        folders = [tmp_path / name for name in "ab"]
        for folder in folders:
            folder.mkdir()
        fresh = replace(train, cache={}), replace(validation, cache={})
        files = [
            self.fit(family, train, validation).save(folders[0]),
            self.fit(family, *fresh).save(folders[1]),
        ]
        first, second = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
        assert first == second
        assert files[0].name == files[1].name

    def test_reads_back_what_it_wrote(
        self, family: Family, fitted: Predictor, validation: SplitRows, tmp_path: Path
    ) -> None:
        file = fitted.save(tmp_path)
        assert list(tmp_path.iterdir()) == [file]
        again = family.load(file, FEATURES)
        assert again.predict(validation.features).tolist() == fitted.predict(validation.features).tolist()

    def test_the_file_is_no_pickle(self, fitted: Predictor, tmp_path: Path) -> None:
        assert not fitted.save(tmp_path).read_bytes().startswith(PICKLE)

    def test_contributions_are_one_number_for_each_value(self, fitted: Predictor, validation: SplitRows) -> None:
        contributions = fitted.contributions(validation.features)
        assert contributions is None or contributions.shape == (len(validation.label), len(FEATURES))

    def bad_labels(self) -> dict[str, list[float]]:
        """Complaint → labels that nothing can be learned from."""
        return {
            "no rows": [],
            "labels of the train split are 0. With one class": [0.0] * 400,
            "labels of the train split are 1. With one class": [1.0] * 400,
            "label of the train split is 2": [0.0, 2.0] * 200,
            "label of the train split is nan": [0.0, float("nan")] * 200,
        }

    def test_bad_labels_are_refused(self, family: Family, train: SplitRows, validation: SplitRows) -> None:
        for complaint, label in self.bad_labels().items():
            bad = replace(train, features=train.features.slice(0, len(label)), label=np.array(label), cache={})
            with pytest.raises(RowsError, match=complaint):
                self.fit(family, bad, validation)

    @pytest.mark.parametrize(
        ("values", "complaint"),
        [
            (pa.nulls(400, pa.float64()), "null in all"),
            (pa.array([float("inf")] + [0.0] * 399), "infinite"),
            (pa.array([0] * 400, pa.timestamp("us")), "timestamp"),
        ],
    )
    def test_bad_features_are_refused_by_name(
        self, family: Family, train: SplitRows, validation: SplitRows, values: pa.Array, complaint: str
    ) -> None:
        used = family.columns()
        for name in FEATURES[-1:] if used is None else used:
            place = train.features.column_names.index(name)
            bad = replace(train, features=train.features.set_column(place, name, values), cache={})
            with pytest.raises(RowsError, match=rf"'{name}'.*{complaint}"):
                self.fit(family, bad, validation)


class RegressionFamilyContract(FamilyContract):
    """What every family promises, of a label of numbers."""

    task: Task = REGRESSION

    def bad_labels(self) -> dict[str, list[float]]:
        """Complaint → labels that nothing can be learned from."""
        return {
            "no rows": [],
            "labels of the train split are 2.5. Of one value": [2.5] * 400,
            "label of the train split is inf": [0.0, float("inf")] * 200,
            "label of the train split is nan": [0.0, float("nan")] * 200,
        }


class MulticlassFamilyContract(FamilyContract):
    """What every family promises, of a label of several classes."""

    task: Task = MULTICLASS

    def bad_labels(self) -> dict[str, list[float]]:
        """Complaint → labels that nothing can be learned from."""
        return {
            "no rows": [],
            "labels of the train split are 'low'. With one class": [1.0] * 400,
            "label of the train split is 3.0, which is no place among the 3 classes": [0.0, 3.0] * 200,
            "label of the train split is nan": [0.0, float("nan")] * 200,
        }

    def test_a_class_that_no_training_row_has_is_possible_but_unlikely(
        self, family: Family, train: SplitRows, validation: SplitRows
    ) -> None:
        some = np.flatnonzero(train.label != 1)
        fold = replace(
            train,
            features=train.features.take(some),
            label=train.label[some],
            entity=train.entity[some],
            event_time=train.event_time.take(some),
            cache={},
        )
        prediction = self.fit(family, fold, validation).predict(validation.features)
        assert prediction.shape == (len(validation.label), 3)
        assert prediction[:, 1].max() < prediction[:, [0, 2]].max(axis=1).min()


class RankingFamilyContract(FamilyContract):
    """What every family promises, of a label that is ranked within groups."""

    task: Task = RANKING

    def bad_labels(self) -> dict[str, list[float]]:
        """Complaint → labels that nothing can be learned from."""
        return {
            "no rows": [],
            "labels of the train split are 2. Of one value": [2.0] * 400,
            "label of the train split is -1. A relevance is 0 or more": [0.0, -1.0] * 200,
            "label of the train split is nan": [0.0, float("nan")] * 200,
        }

    def test_rows_without_groups_are_refused(self, family: Family, train: SplitRows, validation: SplitRows) -> None:
        with pytest.raises(RowsError, match="train split does not say which group each row is of"):
            self.fit(family, replace(train, group=None, cache={}), validation)

    def test_neither_the_order_of_rows_nor_of_groups_is_learned(
        self, family: Family, train: SplitRows, validation: SplitRows, tmp_path: Path
    ) -> None:
        other = np.random.default_rng(4).permutation(len(train.label))
        assert train.group is not None
        turned = replace(
            train,
            features=train.features.take(other),
            label=train.label[other],
            group=train.group[other],
            cache={},
        )
        found = []
        for place, rows in enumerate((replace(train, cache={}), turned)):
            folder = tmp_path / str(place)
            folder.mkdir()
            fitted = self.fit(family, rows, replace(validation, cache={}))
            found.append(hashlib.sha256(fitted.save(folder).read_bytes()).hexdigest())
        assert found[0] == found[1]
