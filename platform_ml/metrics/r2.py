"""Coefficient of determination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from platform_ml.spec.task import REGRESSION, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Groups = NDArray[np.int64]


ROUNDING = 1e-12
"""What is left of the spread of a label that does not vary, as a share of what was subtracted."""


@dataclass(frozen=True)
class R2:
    """The share of the label's variance that predictions explain: 1 is all, 0 what its mean gives, below 0 is worse.

    1 - sum of squared errors / sum of squared distances to the mean of the same rows: the definition of scikit-learn,
    but not defined where the label does not vary.
    """

    name: ClassVar[str] = "r2"
    title: ClassVar[str] = "R²"
    unit: ClassVar[str] = "share of variance"
    definition: ClassVar[str] = (
        "Share of the label's variance that predictions explain: 1 is all, 0 what its mean gives, below 0 is worse."
    )
    goal: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    task: ClassVar[Task] = REGRESSION

    def score(self, truth: Numbers, prediction: Numbers, group: Groups | None = None) -> float:
        import numpy as np

        return float(self.resample(truth, prediction, np.ones((1, len(truth))))[0])

    def resample(self, truth: Numbers, prediction: Numbers, weights: Numbers, group: Groups | None = None) -> Numbers:
        import numpy as np

        scores = np.full(len(weights), np.nan)
        if len(truth) == 0 or not np.isfinite(prediction).all():
            return scores
        # Distances to one fixed value first: sums of squares of large numbers would lose the digits that count.
        moved = truth - truth.mean()
        drawn = weights.sum(axis=1)
        sums = [np.einsum("bn,n->b", weights, of) for of in ((prediction - truth) ** 2, moved, moved**2)]
        spread = sums[2] - np.divide(sums[1] ** 2, drawn, out=np.zeros_like(drawn), where=drawn > 0)
        varies = spread > ROUNDING * sums[2]
        np.divide(sums[0], spread, out=scores, where=varies)
        explained: Numbers = 1 - scores
        return explained
