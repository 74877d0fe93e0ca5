"""What the metrics of an order have in common: hits and false alarms at every threshold, for many resamples at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from platform_ml.spec.task import BINARY, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Groups = NDArray[np.int64]

CELLS = 1 << 18
"""Weights that are looked at together: 2 MiB an array, so that memory is bounded and the arrays stay in cache."""


class Ranking:
    """A metric of the order of the predictions alone; not defined where all rows are of one class."""

    goal: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    task: ClassVar[Task] = BINARY

    def score(self, truth: Numbers, prediction: Numbers, group: Groups | None = None) -> float:
        import numpy as np

        return float(self.resample(truth, prediction, np.ones((1, len(truth))))[0])

    def resample(self, truth: Numbers, prediction: Numbers, weights: Numbers, group: Groups | None = None) -> Numbers:
        import numpy as np

        scores = np.full(len(weights), np.nan)
        if len(truth) == 0 or not np.isfinite(prediction).all():
            return scores
        order = np.argsort(-prediction, kind="stable")
        # Rows with equal predictions are above or below a threshold together.
        last_of_ties = np.append(np.flatnonzero(np.diff(prediction[order])), len(order) - 1)
        positive = truth[order]
        step = max(1, CELLS // len(order))
        for start in range(0, len(weights), step):
            drawn = weights[start : start + step, order]
            hits = np.cumsum(drawn * positive, axis=1)[:, last_of_ties]
            alarms = np.cumsum(drawn, axis=1)[:, last_of_ties] - hits
            both = (hits[:, -1] > 0) & (alarms[:, -1] > 0)
            scores[start : start + step][both] = self.of_counts(hits[both], alarms[both])
        return scores

    def of_counts(self, hits: Numbers, alarms: Numbers) -> Numbers:
        """The metric (b,) from the true and false positives (b, thresholds), thresholds falling; both end above 0."""
        raise NotImplementedError
