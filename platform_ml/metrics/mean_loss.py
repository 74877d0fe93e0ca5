"""What the metrics of single probabilities have in common: a loss per row, and its mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


class MeanLoss:
    """A mean over rows; not defined without rows or where a prediction is not a probability."""

    goal: ClassVar[Literal["maximize", "minimize"]] = "minimize"

    def score(self, truth: Numbers, prediction: Numbers) -> float:
        import numpy as np

        return float(self.resample(truth, prediction, np.ones((1, len(truth))))[0])

    def resample(self, truth: Numbers, prediction: Numbers, weights: Numbers) -> Numbers:
        import numpy as np

        drawn = weights.sum(axis=1)
        means = np.full(len(weights), np.nan)
        if ((prediction >= 0) & (prediction <= 1)).all():
            # einsum, because a BLAS product adds up in another order at another number of threads.
            sums = np.einsum("bn,n->b", weights, self.losses(truth, prediction))
            np.divide(sums, drawn, out=means, where=drawn > 0)
        return means

    def losses(self, truth: Numbers, prediction: Numbers) -> Numbers:
        """The loss of each of `n` rows; `prediction` is the probability of true, from 0 to 1."""
        raise NotImplementedError
