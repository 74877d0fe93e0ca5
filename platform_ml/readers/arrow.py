"""Arrow record batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.exports.schema import chosen

if TYPE_CHECKING:
    import pyarrow as pa

    from platform_ml.spec.export import StoredRows


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """The rows as a `pyarrow.RecordBatchReader`: DuckDB, Polars, XGBoost and others take one as it is."""

    columns: tuple[str, ...] | None = None
    """None: all."""

    def read(self, rows: StoredRows) -> pa.RecordBatchReader:
        """A stream that can be read once."""
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(chosen(rows.schema, self.columns), rows.batches(self.columns))
