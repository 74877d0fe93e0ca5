"""Declared types as Arrow and pandera see them: one list of columns, several readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.schema import Boolean, Decimal, Double, Integer, Text, Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandera.pandas as pa_pandas

    from platform_ml.spec.schema import Type


def arrow_text(kind: Type) -> str:
    """How Arrow writes the type."""
    match kind:
        case Integer():
            return "int64"
        case Double():
            return "double"
        case Text():
            return "string"
        case Boolean():
            return "bool"
        case Timestamp():
            return "timestamp[us, tz=UTC]"
        case Decimal(precision=precision, scale=scale):
            return f"decimal128({precision}, {scale})"
    raise TypeError(kind)


def arrow_schema(types: Mapping[str, Type]) -> dict[str, str]:
    """Column → Arrow type as text."""
    return {name: arrow_text(kind) for name, kind in types.items()}


def pandera_schema(types: Mapping[str, Type], required: set[str]) -> pa_pandas.DataFrameSchema:
    """The schema of a pandas frame with Arrow-backed columns, in order and without others."""
    import pandas as pd
    import pandera.pandas as pa_pandas
    import pyarrow as pa

    kinds = {
        "int64": pa.int64(),
        "double": pa.float64(),
        "string": pa.string(),
        "bool": pa.bool_(),
        "timestamp[us, tz=UTC]": pa.timestamp("us", tz="UTC"),
    }

    def dtype(kind: Type) -> pd.ArrowDtype:
        if isinstance(kind, Decimal):
            return pd.ArrowDtype(pa.decimal128(kind.precision, kind.scale))
        return pd.ArrowDtype(kinds[arrow_text(kind)])

    columns = {name: pa_pandas.Column(dtype(kind), nullable=name not in required) for name, kind in types.items()}
    return pa_pandas.DataFrameSchema(columns, strict=True, ordered=True)
