"""Models that are shown fewer features than rows have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from platform_ml.spec.attribution import explained_by, interactions
from platform_ml.spec.errors import NotPortable
from platform_ml.spec.family import Categorical, Portable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.attribution import Attribution
    from platform_ml.spec.family import Predictor


@dataclass(frozen=True, kw_only=True)
class Narrowed:
    """A fitted model that sees some features: it takes rows with all of them."""

    kept: tuple[str, ...]
    predictor: Predictor

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """Of the features that it sees."""
        return self.predictor.predict(self._seen(rows))

    def save(self, folder: Path) -> Path:
        """Write the model itself."""
        return self.predictor.save(folder)

    def coordinates(self, rows: pa.Table) -> NDArray[np.float64]:
        """As the model itself says, where it groups rows."""
        predictor: Any = self.predictor
        found: NDArray[np.float64] = predictor.coordinates(self._seen(rows))
        return found

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """Of all columns of the rows: 0 for those that it does not see."""
        import numpy as np

        found = self.predictor.contributions(self._seen(rows))
        if found is None:
            return None
        every = np.zeros((*found.shape[:-1], rows.num_columns))
        every[..., self._places(rows)] = found
        return every

    def unseen(self, rows: pa.Table) -> Mapping[str, int]:
        """Of the categories that it sees."""
        return self.predictor.unseen(self._seen(rows)) if isinstance(self.predictor, Categorical) else {}

    def onnx(self) -> bytes:
        """The graph of the model itself: its input has a column for each feature that it sees."""
        return self._portable.onnx()

    def inputs(self, rows: pa.Table) -> NDArray[np.float32]:
        """What the graph is fed with."""
        return self._portable.inputs(self._seen(rows))

    @property
    def explained_by(self) -> str | None:
        """As the model itself says."""
        return explained_by(self.predictor)

    def attribution(self, rows: pa.Table) -> Attribution:
        """Of all columns of the rows: 0 for those that it does not see."""
        import numpy as np

        predictor: Any = self.predictor
        found: Attribution = predictor.attribution(self._seen(rows))
        every = np.zeros((rows.num_rows, rows.num_columns, found.values.shape[2]))
        every[:, self._places(rows)] = found.values
        return replace(found, values=every)

    def interactions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """Of all columns of the rows."""
        import numpy as np

        found = interactions(self.predictor, self._seen(rows))
        if found is None:
            return None
        every = np.zeros((rows.num_rows, rows.num_columns, rows.num_columns))
        places = self._places(rows)
        every[:, places[:, None], places] = found
        return every

    def _places(self, rows: pa.Table) -> NDArray[np.int64]:
        import numpy as np

        return np.asarray([rows.column_names.index(name) for name in self.kept])

    def _seen(self, rows: pa.Table) -> pa.Table:
        # Families find columns by name and say which one is missing.
        return rows.select([name for name in self.kept if name in rows.column_names])

    @property
    def _portable(self) -> Portable:
        predictor: Any = self.predictor
        if not isinstance(predictor, Portable):
            raise NotPortable("This family has no ONNX graph")
        return predictor
