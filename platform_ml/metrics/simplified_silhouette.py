"""How much nearer rows are to their own cluster than to the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from platform_ml.metrics.mean_loss import MeanLoss
from platform_ml.spec.task import CLUSTERING, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class SimplifiedSilhouette(MeanLoss):
    """Mean of (b - a) / max(a, b) over rows, a the distance to the own centre and b to the next one: from 0 to 1.

    Hruschka, de Castro and Campello (2004), Evolutionary algorithms for clustering gene-expression data: as good at
    comparing numbers of clusters as Rousseeuw's, which takes all pairs of rows, and a mean over rows.
    """

    task: ClassVar[Task] = CLUSTERING
    goal: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    name: ClassVar[str] = "simplified_silhouette"
    title: ClassVar[str] = "Simplified silhouette"
    unit: ClassVar[str] = "from 0 to 1"
    definition: ClassVar[str] = "How much nearer a row is to the centre of its own cluster than to the next one."

    def takes(self, prediction: Numbers) -> bool:
        """Whether these are distances to two centres or more."""
        import numpy as np

        return prediction.ndim > 1 and prediction.shape[1] > 1 and bool(np.isfinite(prediction).all())

    def losses(self, truth: Numbers, prediction: Numbers) -> Numbers:
        """That of each row; 0 for a row that lies on both centres."""
        import numpy as np

        own, other = np.partition(prediction, 1, axis=1)[:, :2].T
        nearer: Numbers = np.divide(other - own, other, out=np.zeros_like(own), where=other > 0)
        return nearer
