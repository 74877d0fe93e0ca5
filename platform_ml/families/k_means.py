"""Groups of rows that lie near each other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.columns import EveryColumn
from platform_ml.families.design import Design, designed
from platform_ml.families.limits import check_limits
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.errors import RowsError, StoreError
from platform_ml.spec.space import Whole
from platform_ml.spec.task import CLUSTERING, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.families.limits import Limits
    from platform_ml.spec.family import Rows

LIMITS: Limits = {"clusters": (2, 100), "starts": (1, 1_000), "max_levels": (1, 10_000), "max_steps": (1, 100_000)}


@dataclass(frozen=True, kw_only=True)
class KMeans(EveryColumn):
    """Lloyd's algorithm from k-means++ starts (Arthur and Vassilvitskii 2007), the best of several, by scikit-learn.

    Nulls are filled with the median and marked by a column, categories have a column for each level, and all columns
    are scaled, as the training rows say. Cluster 1 is the one with the most training rows.
    """

    name: ClassVar[str] = "k_means"
    complexity: ClassVar[Complexity] = Complexity.WEIGHTS
    tasks: ClassVar[tuple[Task, ...]] = (CLUSTERING,)

    clusters: int | Whole = Whole(2, 8)
    starts: int = 10
    max_levels: int = 20
    """Of a category; the rarer ones are taken as missing."""
    max_steps: int = 300

    def __post_init__(self) -> None:
        check_limits(self, LIMITS)

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> Centres:
        """Find the centres; there is nothing to stop early."""
        import numpy as np
        from sklearn.cluster import KMeans as Solver
        from threadpoolctl import threadpool_limits

        design, columns = designed(train, params["max_levels"])
        count = params["clusters"]
        if len(np.unique(columns, axis=0)) < count:
            raise RowsError(f"{count} clusters need as many training rows that differ. Use fewer, or widen the split.")
        with threadpool_limits(limits=1):  # sums of several threads are not the same to the last digit
            solver = Solver(n_clusters=count, n_init=params["starts"], max_iter=params["max_steps"], random_state=seed)
            found = solver.fit(columns)
        order = np.argsort(-np.bincount(found.labels_, minlength=count), kind="stable")
        centres = found.cluster_centers_[order].astype(np.float64).tolist()
        return Centres(design=design, centres=tuple(tuple(one) for one in centres))

    def load(self, file: Path, features: Sequence[str]) -> Centres:
        """Read the centres back."""
        try:
            plain = json.loads(file.read_text(encoding="utf-8"))
            design = Design.from_plain(file, plain["design"])
            centres = tuple(tuple(float(value) for value in one) for one in plain["centres"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} holds no clusters ({error!r}). Materialize the model again.") from error
        design.encoding.check(file, features)
        if not centres or any(len(one) != len(design.means) for one in centres):
            raise StoreError(f"{file} does not fit together. Materialize the model again.")
        return Centres(design=design, centres=centres)


@dataclass(frozen=True, kw_only=True)
class Centres:
    """Fitted centres in the columns of a design."""

    design: Design
    centres: tuple[tuple[float, ...], ...]

    def coordinates(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n, columns) where rows lie: filled, told apart by level, and scaled."""
        return self.design.columns(self.design.encoding.matrix(rows))

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n, clusters) how far each row is from each centre, in standard deviations."""
        import numpy as np

        columns, centres = self.coordinates(rows), np.asarray(self.centres)
        squares = np.zeros((len(columns), len(centres)))
        for place in range(columns.shape[1]):  # one column after the other: a row alone is summed up as among others
            squares += (columns[:, [place]] - centres[:, place]) ** 2
        return np.sqrt(squares)

    def save(self, folder: Path) -> Path:
        """Write `model.json`: centres, and how rows become columns."""
        file = folder / "model.json"
        plain = {"centres": self.centres, "design": self.design.to_plain()}
        file.write_text(json.dumps(plain, allow_nan=False), encoding="utf-8")
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """A distance is no sum of what features add: the card has the means of each cluster instead."""
        return None

    def unseen(self, rows: pa.Table) -> Mapping[str, int]:
        """Category → rows with a level that training never saw."""
        return self.design.encoding.unseen(rows)
