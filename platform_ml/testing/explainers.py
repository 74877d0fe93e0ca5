"""The laws of ways to explain a model: a member's test class inherits them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.engine.explanation_rows import as_predicted
from platform_ml.spec.errors import Refused
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.naming import check_name
from platform_ml.spec.task import BINARY, MULTICLASS, REGRESSION, Task
from platform_ml.testing.families import invented
from platform_ml.testing.learners import with_shop

if TYPE_CHECKING:
    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.attribution import Attribution
    from platform_ml.spec.explanation import Explainer
    from platform_ml.spec.family import Family, Predictor

EXPLAINED, BACKGROUND = 40, 8
CLOSE = 1e-5
"""As far as sums of 32 bits can be off."""


class Stranger:
    """A model that no family made."""

    def predict(self, rows: pa.Table) -> Any:
        """The number of rows, for each."""
        return np.full(rows.num_rows, float(rows.num_rows))


class ExplainerContract:
    """What every explainer promises, of a model that follows `recency`, `amount` and `shop`."""

    tasks: tuple[Task, ...] = (BINARY, REGRESSION, MULTICLASS)
    finds: tuple[str, ...] = ("recency", "amount")
    """What moves a prediction more than noise does."""

    @pytest.fixture
    def explainer(self) -> Explainer:
        """The member under test."""
        raise NotImplementedError

    @pytest.fixture
    def family(self) -> Family:
        """A kind of model that it explains, with a value for every field, and quick to fit."""
        raise NotImplementedError

    def fitted(self, family: Any, task: Task) -> Predictor:
        """A model of such a label, fitted once for all laws."""
        known = vars(self.__class__).get("_fitted") or {}
        if (family, task) not in known:
            params = {item.name: getattr(family, item.name) for item in fields(family)}
            model = family.fit(self.rows(1, task, 200), self.rows(2, task, 100), params=params, seed=7)
            known = known | {(family, task): model}
            setattr(self.__class__, "_fitted", known)  # noqa: B010 - no field of the contract
        predictor: Predictor = known[family, task]
        return predictor

    def rows(self, seed: int, task: Task, count: int) -> SplitRows:
        """Rows with nulls and a category."""
        return with_shop(invented(seed, rows=count, task=task))

    def explained(
        self, explainer: Explainer, family: Any, task: Task, rows: pa.Table | None = None, seed: int = 3
    ) -> Attribution:
        """Explain some rows that the model never saw."""
        rows = self.rows(3, task, EXPLAINED).features if rows is None else rows
        background = self.rows(1, task, BACKGROUND).features
        return explainer.explain(self.fitted(family, task), rows, background, task=task, seed=seed)

    def test_says_what_it_is(self, explainer: Explainer) -> None:
        check_name("Explainer", explainer.name)
        assert explainer.rule.endswith(".")
        assert fingerprint(explainer) == fingerprint(explainer)

    def test_cannot_be_changed(self, explainer: Any) -> None:
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            explainer.anything = 1

    def test_adds_up_to_the_prediction(self, explainer: Explainer, family: Family) -> None:
        for task in self.tasks:
            rows, model = self.rows(3, task, EXPLAINED), self.fitted(family, task)
            assert explainer.suits(model)
            found = self.explained(explainer, family, task)
            outputs = max(1, len(rows.classes))
            assert found.values.shape == (EXPLAINED, rows.features.num_columns, outputs)
            assert found.base.shape == (EXPLAINED, outputs)
            told = as_predicted(found.outputs, found.unit)
            prediction = model.predict(rows.features).reshape(EXPLAINED, outputs)
            np.testing.assert_allclose(told, prediction, atol=CLOSE, err_msg=task)

    def test_what_matters_moves_more_than_noise(self, explainer: Explainer, family: Family) -> None:
        names = self.rows(3, REGRESSION, 1).features.column_names
        sizes = dict(zip(names, self.explained(explainer, family, REGRESSION).sizes.mean(axis=0), strict=True))
        assert min(sizes[name] for name in self.finds) > 2 * sizes["noise"]

    def test_the_same_seed_gives_the_same_bytes(self, explainer: Explainer, family: Family) -> None:
        first, second = (self.explained(explainer, family, BINARY) for _ in "ab")
        assert first.values.tobytes() == second.values.tobytes()
        assert first.base.tobytes() == second.base.tobytes()

    def test_rows_without_a_single_value_are_explained(self, explainer: Explainer, family: Family) -> None:
        schema = self.rows(3, BINARY, 1).features.schema
        empty = pa.table({field.name: pa.nulls(2, field.type) for field in schema})
        assert np.isfinite(self.explained(explainer, family, BINARY, empty).values).all()

    def test_its_cost_is_declared(self, explainer: Explainer) -> None:
        few, many = explainer.most_rows(4, 8), explainer.most_rows(400, 800)
        assert few is None or (many is not None and few >= many >= 1)

    def test_a_model_that_it_does_not_suit_is_refused(self, explainer: Explainer) -> None:
        stranger: Any = Stranger()
        rows = self.rows(3, BINARY, 2).features
        if explainer.suits(stranger):
            assert explainer.explain(stranger, rows, rows, task=BINARY, seed=1).values.shape[0] == len(rows)
            return
        with pytest.raises(Refused, match="does not suit"):
            explainer.explain(stranger, rows, rows, task=BINARY, seed=1)
