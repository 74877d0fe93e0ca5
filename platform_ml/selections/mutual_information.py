"""How much a feature says of the label, by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.selections.columns import Columns, ranking
from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.spec.family import Rows
    from platform_ml.spec.selection import Asked, Ranking

LEAST, MOST = 2, 1_000


@dataclass(frozen=True, kw_only=True)
class MutualInformation:
    """A filter: the mutual information of each feature and the label in nats, by scikit-learn.

    Numbers are cut at quantiles, a null is a value of its own, and what luck alone would give is taken off
    (Miller 1955): (values - 1) (classes - 1) / 2n.
    """

    name: ClassVar[str] = "mutual_information"
    decides: ClassVar[bool] = False

    bins: int = 16

    def __post_init__(self) -> None:
        if not LEAST <= self.bins <= MOST:
            raise DeclarationError(f"MutualInformation: bins={self.bins} has to be from {LEAST} to {MOST:,}.")

    @property
    def rule(self) -> str:
        """As a sentence."""
        return f"Ranked by mutual information with the label, numbers cut into {self.bins} equally frequent parts."

    def rank(self, train: Rows, asked: Asked, *, seed: int) -> Ranking:
        """Each feature by itself; there is no chance in it."""
        import numpy as np

        columns = Columns.of(train)
        label = _binned(columns.label, self.bins) if columns.of_numbers else columns.label.astype(np.int64)
        scores = {name: _information(self._cut(columns, place), label) for place, name in enumerate(columns.names)}
        said = {name: f"By itself it says {score:.4f} nats of what the label says." for name, score in scores.items()}
        return ranking(self.name, scores, said)

    def _cut(self, columns: Columns, place: int) -> NDArray[np.int64]:
        import numpy as np

        values = columns.values[:, place]
        if columns.categories[place]:
            return np.where(np.isnan(values), -1, values).astype(np.int64)
        return _binned(values, self.bins)


def _binned(values: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """Which quantile each value is in; -1 where null."""
    import numpy as np

    known = ~np.isnan(values)
    cuts = np.unique(np.quantile(values[known], np.linspace(0, 1, bins + 1)[1:-1])) if known.any() else np.empty(0)
    return np.where(known, np.searchsorted(cuts, values, side="right"), -1).astype(np.int64)


def _information(feature: NDArray[np.int64], label: NDArray[np.int64]) -> float:
    import numpy as np
    from sklearn.metrics import mutual_info_score

    luck = (len(np.unique(feature)) - 1) * (len(np.unique(label)) - 1) / (2 * len(label))
    return max(0.0, float(mutual_info_score(label, feature)) - luck)
