"""Declared types as Arrow and pandera see them: one list of columns, several readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.schema import Boolean, Decimal, Double, Integer, Text, Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandera.pandas as pa_pandas
    import pyarrow as pa

    from platform_ml.spec.schema import Type


def arrow_schema(types: Mapping[str, Type]) -> dict[str, str]:
    """Column → Arrow type as text."""
    return {name: str(arrow_type(kind)) for name, kind in types.items()}


def arrow_type(kind: Type) -> pa.DataType:
    """The type in Arrow."""
    import pyarrow as pa

    match kind:
        case Integer():
            return pa.int64()
        case Double():
            return pa.float64()
        case Text():
            return pa.string()
        case Boolean():
            return pa.bool_()
        case Timestamp():
            return pa.timestamp("us", tz="UTC")
        case Decimal(precision=precision, scale=scale):
            return pa.decimal128(precision, scale)
    raise TypeError(kind)


def pandera_schema(types: Mapping[str, Type], required: set[str]) -> pa_pandas.DataFrameSchema:
    """The schema of a pandas frame with Arrow-backed columns, in order and without others."""
    import pandas as pd
    import pandera.pandas as pa_pandas

    columns = {
        name: pa_pandas.Column(pd.ArrowDtype(arrow_type(kind)), nullable=name not in required)
        for name, kind in types.items()
    }
    return pa_pandas.DataFrameSchema(columns, strict=True, ordered=True)
