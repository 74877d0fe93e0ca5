"""What families are fitted on, and how good each fit is: made once, used by every trial."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from platform_ml.engine import preparation
from platform_ml.engine.seeds import seeded
from platform_ml.spec.training_dataset import TRAIN, VALIDATION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.family import Family, Predictor
    from platform_ml.spec.tuned_model import TunedModel


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """Prepared training and validation rows of a model."""

    model: TunedModel
    learn: SplitRows
    """Training rows as the families see them: prepared, and weighed as declared."""
    judge: SplitRows
    """Validation rows, prepared the same way, none weighing more than another."""
    prepared: preparation.Fitted | None

    @classmethod
    def of(cls, model: TunedModel, splits: Mapping[str, SplitRows]) -> Self:
        """Learn the preparations from the training rows, and apply them to both splits; no other split is read."""
        learn, judge = splits[TRAIN], splits[VALIDATION]
        prepared = preparation.Fitted.of(model.preparations, learn.features) if model.preparations else None
        if prepared is not None:
            learn, judge = (_prepared(prepared, rows) for rows in (learn, judge))
        return cls(model=model, learn=_weighed(model, learn), judge=judge, prepared=prepared)

    def fit(
        self, family: Family, params: Mapping[str, Any], report: Callable[[int, float], None] | None = None
    ) -> tuple[Predictor, float]:
        """A fitted family, and its metric on the validation rows."""
        with seeded(self.model.seed):
            predictor = family.fit(self.learn, self.judge, params=params, seed=self.model.seed, report=report)
        return predictor, self.score(predictor)

    def score(self, predictor: Predictor) -> float:
        """The metric on the validation rows."""
        judge = self.judge
        return float(self.model.metric.score(judge.label, predictor.predict(judge.features), judge.group))

    def deployed(self, predictor: Predictor) -> Predictor:
        """The same predictor for rows as they are in the dataset."""
        if self.prepared is None:
            return predictor
        return preparation.Prepared(fitted=self.prepared, predictor=predictor)


def _prepared(fitted: preparation.Fitted, rows: SplitRows) -> SplitRows:
    """Rows as the family sees them, with matrices of their own."""
    return replace(rows, features=fitted.apply(rows.features), cache={})


def _weighed(model: TunedModel, train: SplitRows) -> SplitRows:
    """The training rows, those with label 1 weighing what is declared."""
    import numpy as np

    weight = model.positive_weight
    if weight is None:
        return train
    ones = train.label == 1
    weight = float((~ones).sum() / max(1, ones.sum())) if isinstance(weight, str) else weight
    return replace(train, weight=np.where(ones, weight, 1.0), cache={})
