"""What is left when the least useful feature is taken away again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.selections.columns import Columns, ranking
from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    from platform_ml.spec.family import Rows
    from platform_ml.spec.selection import Asked, Ranking

SETTINGS = {"min_samples_leaf": 5, "max_depth": 12, "max_features": "sqrt", "n_jobs": 1}


@dataclass(frozen=True, kw_only=True)
class RecursiveElimination:
    """A wrapper: a forest is fitted, its least important features are dropped, and so on (Guyon et al. 2002).

    By scikit-learn's RFE with a random forest, which takes nulls; a text is the place of its level by frequency. The
    score is the share of rounds that a feature stayed in.
    """

    name: ClassVar[str] = "recursive_elimination"
    decides: ClassVar[bool] = False

    step: float = 0.1
    """This share of all features is dropped in a round, and one at least."""
    trees: int = 30
    most_rows: int = 10_000
    """Of more rows so many are looked at, evenly over the split."""

    def __post_init__(self) -> None:
        if not 0 < self.step < 1 or self.trees < 1 or self.most_rows < 1:
            raise DeclarationError(
                f"RecursiveElimination: step={self.step} is a share between 0 and 1, trees and most_rows are 1 or more."
            )

    @property
    def rule(self) -> str:
        """As a sentence."""
        return f"What is least important to a forest of {self.trees} trees is dropped, again and again."

    def rank(self, train: Rows, asked: Asked, *, seed: int) -> Ranking:
        """Down to what is to be kept; those that are left are ordered by importance in the last forest."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
        from sklearn.feature_selection import RFE

        columns = Columns.of(train, most=self.most_rows)
        if len(columns.names) == 1:  # RFE wants two
            return ranking(
                self.name, dict.fromkeys(columns.names, 1.0), dict.fromkeys(columns.names, "There is no other.")
            )
        kind = RandomForestRegressor if columns.of_numbers else RandomForestClassifier
        forest = kind(n_estimators=self.trees, random_state=seed, **SETTINGS)
        rounds = RFE(forest, n_features_to_select=min(asked.keep or 1, len(columns.names)), step=self.step)
        rounds.fit(columns.values, columns.label, sample_weight=columns.weight)
        left = rounds.ranking_ == 1
        importance = dict(
            zip(
                (name for name, stays in zip(columns.names, left, strict=True) if stays),
                rounds.estimator_.feature_importances_.tolist(),
                strict=True,
            )
        )
        last = int(rounds.ranking_.max())
        stayed = dict(zip(columns.names, rounds.ranking_.tolist(), strict=True))
        order = sorted(columns.names, key=lambda name: (stayed[name], -importance.get(name, 0.0)))
        scores = {name: (last - stayed[name] + 1) / last for name in order}

        reasons = {
            name: f"It was left in the end, with {importance[name]:.1%} of the importance in the last forest."
            if name in importance
            else f"It was dropped in round {last - stayed[name] + 1} of {last - 1}."
            for name in order
        }
        return ranking(self.name, scores, reasons)
