"""What the formats made of JSON objects share: their columns as text, and what no value may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.schema import NUMBERS, Boolean, Decimal
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.schema import Column

LONGEST = 16_777_216
"""Bytes of one object."""
DIGITS = 15
"""What a JSON number keeps: DuckDB, like most readers, holds it as 64 binary bits."""
QUOTE, NINE, FALSE, NULL, TRUE = (ord(sign) for sign in '"9fnt')


def objects_sql(path: str, form: str, columns: Sequence[Column]) -> str:
    """Rows of JSON objects: a key that is not there is null; so is a value of another kind, which is a fault."""
    structure = "{" + ", ".join(f'"{column.name}": "JSON"' for column in columns) + "}"
    values = ", ".join(f"{_text(column)} AS {identifier(column.name)}" for column in columns)
    faults = ", ".join(f"CASE WHEN {wrong} THEN {literal(reason)} END" for wrong, reason in _faults(columns))
    looked_at = f"list_filter([{faults}], lambda fault: fault IS NOT NULL)"
    return f"""(
SELECT {values}, file_row_number, _json AS _record, CASE WHEN {_usual(columns)} THEN [] ELSE {looked_at} END AS _faults
FROM (
    SELECT row_number() OVER () - 1 AS file_row_number, json AS _json, json_keys(json) AS _keys,
           json_transform(json, {literal(structure)}) AS _value
    FROM read_json_objects({literal(path)}, format = {literal(form)}, compression = 'none',
                           maximum_object_size = {LONGEST})))"""


def names_sql(path: str, form: str) -> str:
    """The keys of all objects."""
    read = f"read_json_objects({literal(path)}, format = {literal(form)}, maximum_object_size = {LONGEST})"
    return f"SELECT DISTINCT unnest(json_keys(json)) AS name FROM {read} WHERE json_type(json) = 'OBJECT'"


def _value(column: Column) -> str:
    return f"_value.{identifier(column.name)}"


def _text(column: Column) -> str:
    """A value as text; what is no text in JSON is written the same way, and is not read again."""
    value = _value(column)
    read = f"{value}->>'$'"
    if isinstance(column.type, (*NUMBERS, Boolean)):
        return f"CASE WHEN ascii({value}) NOT IN ({QUOTE}, {NULL}) THEN {value}::VARCHAR ELSE {read} END"
    return read


def _usual(columns: Sequence[Column]) -> str:
    """Whether an object has the declared keys in order, and values of the right kind: then it has no fault.

    The first character of a value says what it is; null is there no value at all.
    """
    usual = [f"_keys = [{', '.join(literal(column.name) for column in columns)}]"]
    for column in columns:
        value = _value(column)
        first = f"ascii({value})"
        if isinstance(column.type, NUMBERS):
            right = f"{first} <= {NINE}"
        elif isinstance(column.type, Boolean):
            right = f"{first} IN ({FALSE}, {TRUE})"
        else:
            right = f"{first} = {QUOTE}"
        if isinstance(column.type, Decimal):
            right = f"{right} AND length({value}::VARCHAR) <= {DIGITS}"
        usual.append(f"({value} IS NULL OR {right})")
    return " AND ".join(usual)


def _faults(columns: Sequence[Column]) -> list[tuple[str, str]]:
    faults = [
        ("json_type(_json) <> 'OBJECT'", "the row is no JSON object"),
        ("len(_keys) <> len(list_distinct(_keys))", "the row has a key twice"),
    ]
    for column in columns:
        kind = f"json_type({_value(column)})"
        if isinstance(column.type, NUMBERS):
            # The kinds of numbers would be so many that DuckDB joined them to every row.
            faults.append((f"{kind} IN ('ARRAY', 'OBJECT', 'BOOLEAN')", f"{column.name} is no number"))
        elif isinstance(column.type, Boolean):
            faults.append((f"{kind} NOT IN ('BOOLEAN', 'NULL')", f"{column.name} is neither true nor false"))
        else:
            faults.append((f"{kind} NOT IN ('VARCHAR', 'NULL')", f"{column.name} is no text"))
        if isinstance(column.type, Decimal):
            digits = f"length(regexp_replace({_value(column)}->>'$', '^[-0.]+|[eE].*$|[.]', '', 'g'))"
            lost = f"{column.name} has more than {DIGITS} digits as a JSON number: have it delivered as text"
            faults.append((f"{kind} = 'DOUBLE' AND {digits} > {DIGITS}", lost))
    return faults
