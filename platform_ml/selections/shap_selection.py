"""How much a feature moves the predictions of trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.selections.columns import Columns, ranking, shares
from platform_ml.selections.trees import boosted
from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    from platform_ml.spec.family import Rows
    from platform_ml.spec.selection import Asked, Ranking


@dataclass(frozen=True, kw_only=True)
class ShapSelection:
    """By mean absolute SHAP value of boosted trees on the training rows: exact TreeSHAP (Lundberg et al. 2020)."""

    name: ClassVar[str] = "shap"
    decides: ClassVar[bool] = True

    rounds: int = 100
    most_rows: int = 50_000
    """Of more rows the trees learn from so many, evenly over the split."""
    explained_rows: int = 2_000
    """Of these so many are explained, evenly, too: that is what takes time."""

    def __post_init__(self) -> None:
        if min(self.rounds, self.most_rows, self.explained_rows) < 1:
            raise DeclarationError("ShapSelection: rounds, most_rows and explained_rows have to be 1 or more.")

    @property
    def rule(self) -> str:
        """As a sentence."""
        return (
            f"Ranked by how far each feature moves the predictions of {self.rounds} boosted trees (mean absolute "
            "SHAP); one that moves none is dropped."
        )

    def rank(self, train: Rows, asked: Asked, *, seed: int) -> Ranking:
        """All features at once; of several classes the mean over the classes."""
        import numpy as np

        columns = Columns.of(train, most=self.most_rows)
        booster, data = boosted(columns, rounds=self.rounds, seed=seed)
        last = len(columns.label) - 1
        some = data.slice(np.unique(np.linspace(0, last, self.explained_rows).astype(np.int64)))
        values = np.abs(np.asarray(booster.predict(some, pred_contribs=True), dtype=np.float64)[..., :-1])
        moved = values.reshape(-1, len(columns.names)).mean(axis=0)
        scores = shares(columns.names, moved)
        still = {name: "It moves no prediction." for name, by in zip(columns.names, moved, strict=True) if by == 0}
        reasons = {
            name: f"{score:.1%} of all by which features move predictions is due to it."
            for name, score in scores.items()
        }
        return ranking(self.name, scores, reasons, drop=still)
