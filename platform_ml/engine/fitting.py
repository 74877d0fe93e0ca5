"""What families are fitted on, and how good each fit is: made once, used by every trial."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from platform_ml.engine import preparation
from platform_ml.engine.chosen import Chosen, Narrowed
from platform_ml.engine.feature_selection import choose
from platform_ml.engine.seeds import seeded
from platform_ml.spec.training_dataset import TRAIN, VALIDATION

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import pyarrow as pa

    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.family import Family, Predictor
    from platform_ml.spec.tuned_model import TunedModel

SAMPLE = 200


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """Prepared training and validation rows of a model."""

    model: TunedModel
    learn: SplitRows
    """Training rows as the families see them: prepared, only the chosen features, drawn and weighed as declared."""
    judge: SplitRows
    """Validation rows, prepared the same way, each of them once, none weighing more than another."""
    prepared: preparation.Fitted | None
    sample: pa.Table
    """Some validation rows as they are in the dataset: what a deployed model is timed with."""
    chosen: Chosen | None = None
    """Which features the families see, and why; None: all."""
    ablated: bool = False
    """Whether some of them were left out."""

    @classmethod
    def of(cls, model: TunedModel, splits: Mapping[str, SplitRows], *, chosen: Chosen | None = None) -> Self:
        """Learn from the training rows what is done to both splits; no other split is read.

        `chosen` is the published choice of features; None: where the model declares one, it is made now, by these
        training rows. So a fold chooses by its own.
        """
        learn, judge = splits[TRAIN], splits[VALIDATION]
        sample = judge.features.slice(0, SAMPLE)
        if chosen is None and model.features is not None:
            chosen = choose(model.features, learn)
        prepared = None
        if model.preparations:
            prepared = preparation.Fitted.of(model.preparations, learn.features, learn.helpers)
            learn, judge = (_prepared(prepared, rows) for rows in (learn, judge))
        if chosen is not None:
            learn, judge = (_narrowed(rows, chosen.kept) for rows in (learn, judge))
        learn = _weighed(model, _drawn(model, learn))
        return cls(model=model, learn=learn, judge=judge, prepared=prepared, sample=sample, chosen=chosen)

    @property
    def kept(self) -> tuple[str, ...]:
        """The features that the families see."""
        return tuple(self.learn.features.column_names)

    def without(self, features: Collection[str]) -> Self:
        """The same rows without these features."""
        kept = tuple(name for name in self.kept if name not in features)
        return replace(self, learn=_narrowed(self.learn, kept), judge=_narrowed(self.judge, kept), ablated=True)

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
        if self.chosen is not None or self.ablated:
            predictor = Narrowed(kept=self.kept, predictor=predictor, chosen=self.chosen)
        if self.prepared is None:
            return predictor
        return preparation.Prepared(fitted=self.prepared, predictor=predictor)


def _prepared(fitted: preparation.Fitted, rows: SplitRows) -> SplitRows:
    """Rows as the family sees them, with matrices of their own."""
    return replace(rows, features=fitted.apply(rows.features), cache={})


def _narrowed(rows: SplitRows, kept: tuple[str, ...]) -> SplitRows:
    return replace(rows, features=rows.features.select(list(kept)), cache={})


def _drawn(model: TunedModel, train: SplitRows) -> SplitRows:
    """The training rows, as often as is declared."""
    if model.resampling is None:
        return train
    return train.taken(model.resampling.rows(train.label, seed=model.seed))


def _weighed(model: TunedModel, train: SplitRows) -> SplitRows:
    """The training rows, those with label 1 weighing what is declared."""
    import numpy as np

    weight = model.positive_weight
    if weight is None:
        return train
    ones = train.label == 1
    weight = float((~ones).sum() / max(1, ones.sum())) if isinstance(weight, str) else weight
    return replace(train, weight=np.where(ones, weight, 1.0), cache={})
