"""pandas data frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from platform_ml.spec.export import StoredRows


@dataclass(frozen=True, kw_only=True)
class Pandas:
    """The rows as a stream of data frames with Arrow types: nulls stay apart from NaN, whole numbers stay whole."""

    columns: tuple[str, ...] | None = None
    """None: all."""

    def read(self, rows: StoredRows) -> Iterator[pd.DataFrame]:
        """Frames of some thousand rows, indexed through; at least one, so that `pd.concat` has the columns."""
        import pandas as pd

        from platform_ml.exports.schema import chosen

        start = 0
        for batch in rows.batches(self.columns):
            frame = batch.to_pandas(types_mapper=pd.ArrowDtype)
            frame.index = pd.RangeIndex(start, start + len(frame))
            start += len(frame)
            yield frame
        if not start:
            yield chosen(rows.schema, self.columns).empty_table().to_pandas(types_mapper=pd.ArrowDtype)
