"""Apache Avro object container files."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.formats.parquet import Parquet
from platform_ml.spec.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from platform_ml.spec.schema import Column
    from platform_ml.spec.source import Broken

MAGIC = b"Obj\x01"
UNITS = (("millis", "ms"), ("micros", "us"))
BATCH = 50_000
"""Rows that are decoded together."""
TIMES = {f"{zone}timestamp-{name}": (unit, None if zone else "UTC") for zone in ("", "local-") for name, unit in UNITS}


@dataclass(frozen=True, kw_only=True)
class Avro:
    """An Avro file: its schema is in it; a block that is damaged or cut off refuses the file as a whole."""

    suffix: ClassVar[str] = ".avro"
    typed: ClassVar[bool] = True
    direct: ClassVar[bool] = False

    def problem(self, path: str) -> str | None:
        """A whole file begins with the magic and holds whole blocks; it does not say how many those are."""
        with Path(path).open("rb") as stream:
            start = stream.read(len(MAGIC))
        if not start:
            return "it is empty: not even a schema is in it"
        return None if start == MAGIC else "it does not begin like an Avro file"

    def sql(self, path: str, columns: Sequence[Column], *, sifted: bool = False) -> str:
        """The copy is Parquet."""
        return Parquet().sql(path, columns)

    def sift(self, path: str, to: str, columns: Sequence[Column]) -> list[Broken] | None:
        """Every row as Parquet, in the types of the file's own schema."""
        import fastavro
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with Path(path).open("rb") as stream:
                rows: Any = fastavro.reader(stream)
                schema = pa.schema([_field(field) for field in rows.writer_schema["fields"]])
                with pq.ParquetWriter(to, schema) as writer:
                    while some := list(islice(rows, BATCH)):
                        writer.write_table(pa.Table.from_pylist(some, schema=schema))
        except Exception as error:  # what fastavro meets in damaged bytes has every type
            raise SourceError(f"its blocks cannot be decoded ({type(error).__name__}: {error})") from error
        return []

    def lines(self, path: str, rows: Collection[int]) -> dict[int, int]:
        """It has none."""
        return {}

    def names(self, path: str) -> str | None:
        """The schema has them."""
        return None


def _field(field: dict[str, Any]) -> Any:
    import pyarrow as pa

    return pa.field(field["name"], _kind(field["type"]))


def _kind(kind: Any) -> Any:
    """The Arrow type of an Avro type."""
    import pyarrow as pa

    match kind:
        case str():
            return _plain(kind)
        case [*_]:
            others = [one for one in kind if one != "null"]
            if len(others) > 1:
                raise ValueError(f"a union of {others} is no column")
            return _kind(others[0]) if others else pa.null()
        case {"logicalType": "decimal"}:
            return pa.decimal128(kind["precision"], kind.get("scale", 0))
        case {"logicalType": logical} if logical in TIMES:
            return pa.timestamp(*TIMES[logical])
        case {"logicalType": "date"}:
            return pa.date32()
        case {"type": "array", "items": items}:
            return pa.list_(_kind(items))
        case {"type": "map", "values": values}:
            return pa.map_(pa.string(), _kind(values))
        case {"type": "record", "fields": fields}:
            return pa.struct([_field(one) for one in fields])
    return _plain(kind["type"])


def _plain(name: str) -> Any:
    import pyarrow as pa

    types = {"null": pa.null, "boolean": pa.bool_, "int": pa.int32, "long": pa.int64, "float": pa.float32}
    types |= {"double": pa.float64, "string": pa.string, "enum": pa.string, "bytes": pa.binary, "fixed": pa.binary}
    if name not in types:
        raise ValueError(f"type {name!r} is no column")
    return types[name]()
