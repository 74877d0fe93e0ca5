"""What splits of trees gain by a feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.selections.columns import Columns, ranking, shares
from platform_ml.selections.trees import boosted
from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    from platform_ml.spec.family import Rows
    from platform_ml.spec.selection import Asked, Ranking


@dataclass(frozen=True, kw_only=True)
class TreeGain:
    """Embedded: the share of what all splits of boosted trees gain that splits on the feature gain, by XGBoost."""

    name: ClassVar[str] = "tree_gain"
    decides: ClassVar[bool] = True

    rounds: int = 100
    most_rows: int = 200_000
    """Of more rows so many are looked at, evenly over the split."""

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.most_rows < 1:
            raise DeclarationError("TreeGain: rounds and most_rows have to be 1 or more.")

    @property
    def rule(self) -> str:
        """As a sentence."""
        return f"Ranked by what the splits of {self.rounds} boosted trees gain; a feature without a split is dropped."

    def rank(self, train: Rows, asked: Asked, *, seed: int) -> Ranking:
        """All features at once."""
        import numpy as np

        columns = Columns.of(train, most=self.most_rows)
        booster, _ = boosted(columns, rounds=self.rounds, seed=seed)
        gains: Any = booster.get_score(importance_type="total_gain")
        found = np.array([float(gains.get(f"f{place}", 0.0)) for place in range(len(columns.names))])
        scores = shares(columns.names, found)
        unused = {name: "No tree splits on it." for name, gain in zip(columns.names, found, strict=True) if gain == 0}
        reasons = {name: f"Its splits gain {score:.1%} of what all splits gain." for name, score in scores.items()}
        return ranking(self.name, scores, reasons, drop=unused)
