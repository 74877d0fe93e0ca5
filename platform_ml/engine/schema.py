"""Declared types as Arrow and pandera see them: one list of columns, several readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.feature_group import EVENT_TIME, FeatureGroup
from platform_ml.spec.schema import Boolean, Decimal, Double, Doubles, Integer, Text, Timestamp
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandera.pandas as pa_pandas
    import pyarrow as pa

    from platform_ml.spec.event_label import EventLabel
    from platform_ml.spec.label import Label
    from platform_ml.spec.schema import Column, Type


def arrow_schema(types: Mapping[str, Type]) -> dict[str, str]:
    """Column → Arrow type as text."""
    return {name: _arrow_name(kind) for name, kind in types.items()}


def _arrow_name(kind: Type) -> str:
    # What str(arrow_type(kind)) is, without Arrow: a code location that only declares shall load at once.
    match kind:
        case Integer():
            return "int64"
        case Double():
            return "double"
        case Doubles():
            return "list<element: double>"
        case Text():
            return "string"
        case Boolean():
            return "bool"
        case Timestamp():
            return "timestamp[us, tz=UTC]"
        case Decimal(precision=precision, scale=scale):
            return f"decimal128({precision}, {scale})"
    raise TypeError(kind)


def arrow_type(kind: Type) -> pa.DataType:
    """The type in Arrow."""
    import pyarrow as pa

    match kind:
        case Integer():
            return pa.int64()
        case Double():
            return pa.float64()
        case Doubles():
            return pa.list_(pa.field("element", pa.float64()))
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


def pandera_table(noun: Source | FeatureGroup | Label | EventLabel) -> pa_pandas.DataFrameSchema:
    """The schema of a table: columns, nulls and key, and of a source also ranges and allowed values."""
    if isinstance(noun, Source):
        schema = pandera_schema(noun.types, {column.name for column in noun.columns if not column.nullable})
        for column in noun.columns:
            schema.columns[column.name].checks = _rules(column)
        schema.unique = list(noun.key)
        return schema
    key = [*(noun.keys if isinstance(noun, FeatureGroup) else noun.key)]
    timed = [*key, *([EVENT_TIME] if EVENT_TIME in noun.columns else [])]
    schema = pandera_schema(noun.columns, set(timed) if isinstance(noun, FeatureGroup) else {*timed, noun.name})
    if not (isinstance(noun, FeatureGroup) and noun.of_events):
        schema.unique = timed
    return schema


def _rules(column: Column) -> list[pa_pandas.Check]:
    import pandera.pandas as pa_pandas

    rules = []
    if column.minimum is not None:
        rules.append(pa_pandas.Check.ge(column.minimum))
    if column.maximum is not None:
        rules.append(pa_pandas.Check.le(column.maximum))
    if column.allowed is not None:
        rules.append(pa_pandas.Check.isin(list(column.allowed)))
    return rules
