"""Features that say what another one says."""

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


@dataclass(frozen=True, kw_only=True)
class Correlation:
    """A filter: of two features that are nearly the same, the one that goes less with the label is dropped.

    Two numbers are compared by Spearman's rank correlation, where a null is in the middle, so that two which are null
    in other rows are not the same; two categories by their normalized mutual information. The score of a feature is
    the absolute rank correlation with the label; a level of a category counts as the mean label of its rows.
    """

    name: ClassVar[str] = "correlation"
    decides: ClassVar[bool] = True

    limit: float = 0.95
    """From this absolute correlation on they say the same."""
    most_rows: int = 200_000
    """Of more rows so many are looked at, evenly over the split."""

    def __post_init__(self) -> None:
        if not 0 < self.limit <= 1 or self.most_rows < 1:
            raise DeclarationError(
                f"Correlation: limit={self.limit} has to be above 0, and 1 at most; most_rows is 1 or more."
            )

    @property
    def rule(self) -> str:
        """As a sentence."""
        return f"Of two features with a correlation of {self.limit:g} or more, the one that goes with the label stays."

    def rank(self, train: Rows, asked: Asked, *, seed: int) -> Ranking:
        """From the feature that goes best with the label downwards; each is compared with those that stay."""
        import numpy as np

        columns = Columns.of(train, most=self.most_rows)
        scores = _with_label(columns)
        same = _alike(columns)
        order = sorted(range(len(columns.names)), key=lambda place: -scores[place])
        stay, gone = list[int](), dict[str, str]()
        for place in order:
            twin = max(stay, key=lambda other: same[place, other], default=None)
            if twin is not None and same[place, twin] >= self.limit - np.finfo(np.float32).eps:
                gone[columns.names[place]] = (
                    f"Says what {columns.names[twin]} says: they correlate with {same[place, twin]:.3f}, and the other "
                    "goes better with the label."
                )
            else:
                stay.append(place)
        named = {columns.names[place]: scores[place] for place in order}
        reasons = {name: f"Correlates with the label with {score:.3f}." for name, score in named.items()}
        return ranking(self.name, named, reasons, drop=gone)


def _with_label(columns: Columns) -> list[float]:
    import numpy as np

    label = _ranks(columns.label[:, None])
    found = []
    for place in range(len(columns.names)):
        values = columns.values[:, place]
        if columns.categories[place]:
            values = _mean_labels(values, columns.label)
        one = _ranks(values[:, None])
        spread = float(np.sqrt((one**2).sum() * (label**2).sum()))
        found.append(abs(float((one * label).sum())) / spread if spread > 0 else 0.0)
    return found


def _alike(columns: Columns) -> NDArray[np.float64]:
    """(features, features) from 0 to 1; a number and a category are not compared."""
    import numpy as np
    from sklearn.metrics import normalized_mutual_info_score
    from threadpoolctl import threadpool_limits

    many = len(columns.names)
    found = np.zeros((many, many))
    numbers = np.flatnonzero(~columns.categories)
    if numbers.size:
        ranks = _ranks(columns.values[:, numbers])
        spread = np.sqrt((ranks**2).sum(axis=0))
        ranks /= np.where(spread > 0, spread, 1.0)
        with threadpool_limits(limits=1):  # sums of several threads are not the same to the last digit
            found[np.ix_(numbers, numbers)] = np.abs(ranks.T @ ranks)
    texts = np.flatnonzero(columns.categories).tolist()
    places = np.where(np.isnan(columns.values), -1, columns.values)
    for n, one in enumerate(texts):
        for other in texts[:n]:
            alike = normalized_mutual_info_score(places[:, one].astype(np.int64), places[:, other].astype(np.int64))
            found[one, other] = found[other, one] = alike
    return found


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks around 0, ties in their middle; a null is 0."""
    import numpy as np
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=0, nan_policy="omit")
    centred: NDArray[np.float64] = np.nan_to_num(ranks - np.nanmean(ranks, axis=0))
    return centred


def _mean_labels(places: NDArray[np.float64], label: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    levels, which = np.unique(np.where(np.isnan(places), -1, places), return_inverse=True)
    means = np.bincount(which, weights=label, minlength=len(levels)) / np.bincount(which, minlength=len(levels))
    found: NDArray[np.float64] = means[which]
    return found
