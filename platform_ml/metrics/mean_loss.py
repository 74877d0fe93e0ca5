"""What the metrics of single predictions have in common: a loss per row, and its mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from platform_ml.spec.task import BINARY, MULTICLASS, REGRESSION, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Groups = NDArray[np.int64]


class MeanLoss:
    """A mean over rows; not defined without rows or where a prediction is none that the metric can take."""

    goal: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    task: ClassVar[Task] = REGRESSION

    def score(self, truth: Numbers, prediction: Numbers, group: Groups | None = None) -> float:
        import numpy as np

        return float(self.resample(truth, prediction, np.ones((1, len(truth))))[0])

    def resample(self, truth: Numbers, prediction: Numbers, weights: Numbers, group: Groups | None = None) -> Numbers:
        import numpy as np

        drawn = weights.sum(axis=1)
        means = np.full(len(weights), np.nan)
        if len(truth) and self.takes(prediction):
            # einsum, because a BLAS product adds up in another order at another number of threads.
            sums = np.einsum("bn,n->b", weights, self.losses(truth, prediction))
            np.divide(sums, drawn, out=means, where=drawn > 0)
        return means

    def takes(self, prediction: Numbers) -> bool:
        """Whether the metric is defined for such predictions."""
        import numpy as np

        return bool(np.isfinite(prediction).all())

    def losses(self, truth: Numbers, prediction: Numbers) -> Numbers:
        """The loss of each of `n` rows."""
        raise NotImplementedError


class ProbabilityLoss(MeanLoss):
    """A mean over rows whose predictions are probabilities of true, from 0 to 1."""

    task: ClassVar[Task] = BINARY

    def takes(self, prediction: Numbers) -> bool:
        """Whether they are probabilities."""
        return bool(((prediction >= 0) & (prediction <= 1)).all())


class ClassLoss(ProbabilityLoss):
    """A mean over rows whose predictions are probabilities (n, classes)."""

    task: ClassVar[Task] = MULTICLASS
