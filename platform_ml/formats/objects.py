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
WHOLE = "'BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT'"


def objects_sql(path: str, form: str, columns: Sequence[Column]) -> str:
    """Rows of JSON objects: a key that is not there is null; so is a value of another kind, which is a fault."""
    structure = "{" + ", ".join(f'"{column.name}": "JSON"' for column in columns) + "}"
    values = ", ".join(f"{_value(column)}->>'$' AS {identifier(column.name)}" for column in columns)
    faults = ", ".join(f"CASE WHEN {wrong} THEN {literal(reason)} END" for wrong, reason in _faults(columns))
    return f"""(
SELECT {values}, file_row_number, _json AS _record, list_filter([{faults}], lambda fault: fault IS NOT NULL) AS _faults
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


def _faults(columns: Sequence[Column]) -> list[tuple[str, str]]:
    faults = [
        ("json_type(_json) <> 'OBJECT'", "the row is no JSON object"),
        ("len(_keys) <> len(list_distinct(_keys))", "the row has a key twice"),
    ]
    for column in columns:
        kind = f"json_type({_value(column)})"
        if isinstance(column.type, NUMBERS):
            faults.append((f"{kind} NOT IN ({WHOLE}, 'DOUBLE', 'VARCHAR', 'NULL')", f"{column.name} is no number"))
        elif isinstance(column.type, Boolean):
            faults.append((f"{kind} NOT IN ('BOOLEAN', 'NULL')", f"{column.name} is neither true nor false"))
        else:
            faults.append((f"{kind} NOT IN ('VARCHAR', 'NULL')", f"{column.name} is no text"))
        if isinstance(column.type, Decimal):
            digits = f"length(regexp_replace({_value(column)}->>'$', '^[-0.]+|[eE].*$|[.]', '', 'g'))"
            lost = f"{column.name} has more than {DIGITS} digits as a JSON number: have it delivered as text"
            faults.append((f"{kind} = 'DOUBLE' AND {digits} > {DIGITS}", lost))
    return faults
