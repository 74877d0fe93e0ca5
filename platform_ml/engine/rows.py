"""The rows of one split of a training dataset, in memory, in the shapes that models and metrics take."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from platform_ml.spec.task import BINARY

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.task import Task


@dataclass(frozen=True, kw_only=True)
class SplitRows:
    """`n` rows in dataset order."""

    features: pa.Table
    """What a model sees, in the view's order."""
    label: NDArray[np.float64]
    """(n,); a binary label is 0.0 or 1.0, a class its place in `classes`, a relevance 0.0 or more."""
    entity: NDArray[np.int64]
    """(n,) a number per entity: rows of one entity depend on each other and are resampled together."""
    event_time: pa.ChunkedArray
    helpers: pa.Table
    """Columns for slices; no model sees them."""
    task: Task = BINARY
    """What learning this label is."""
    weight: NDArray[np.float64] | None = None
    """(n,) how much each row counts in training; None: all the same."""
    classes: tuple[str, ...] = ()
    """Of several classes their names, as the training rows have them, sorted."""
    group: NDArray[np.int64] | None = None
    """(n,) of a ranking: a number per group."""
    called: pa.ChunkedArray | None = None
    """(n,) who each row is about, as the data says it."""
    cache: dict[str, Any] = field(default_factory=dict, compare=False)
    """Where a family keeps its own data matrix, so that it is built once per study."""

    def taken(self, places: NDArray[np.int64]) -> SplitRows:
        """The rows at these places, with all that goes with a row, without what families kept of them."""
        import numpy as np

        many = len(self.label)
        columns = {one.name: getattr(self, one.name) for one in fields(self)}
        of_rows = {name: value for name, value in columns.items() if hasattr(value, "take") and len(value) == many}
        moved: dict[str, Any] = {
            name: value[places] if isinstance(value, np.ndarray) else value.take(places)
            for name, value in of_rows.items()
        }
        return replace(self, **moved, cache={})

    def thinned(self, most: int) -> SplitRows:
        """At most so many of the rows, evenly spread, without what families kept of them."""
        import numpy as np

        count = len(self.label)
        return self.taken(np.linspace(0, count - 1, min(most, count)).astype(np.int64))

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which builds matrices of its own."""
        return vars(self) | {"cache": {}}
