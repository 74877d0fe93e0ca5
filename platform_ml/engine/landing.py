"""Example data from an installed package, delivered file by file the way a supplier would."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine.ports import WHOLE
from platform_ml.engine.source import ROW_NUMBER, landing_file
from platform_ml.spec.errors import SourceError
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.spec.source import Packaged, Source
    from platform_ml.spec.window import Cadence


def deliver(source: Source, *, work: Work) -> int:
    """Write the files that are not there yet, one per partition, and return how many were written.

    A day without rows is delivered as a file without rows, as a shop does that was closed.
    """
    if source.example is None:
        raise SourceError(f"{work.table(source)} has no example data. Its files come from outside.")
    raw = f"read_parquet({literal(str(_packaged(source.example)))}, file_row_number = true)"
    if source.cadence is None:
        missing = [key for key in (WHOLE,) if not landing_file(source, key, work).exists()]
        parts: Iterator[tuple[str, pa.Table]] = (
            (key, _rows(f"SELECT * EXCLUDE ({ROW_NUMBER}) FROM {raw}", work)) for key in missing
        )
    else:
        keys = source.cadence.keys()
        missing = [key for key in keys if not landing_file(source, key, work).exists()]
        parts = _by_key(source, source.cadence, missing, raw, work) if missing else iter(())
    for key, rows in parts:
        _write(rows, landing_file(source, key, work))
    return len(missing)


def _by_key(source: Source, cadence: Cadence, keys: list[str], raw: str, work: Work) -> Iterator[tuple[str, pa.Table]]:
    import pyarrow.compute as pc

    time, first = identifier(str(source.event_time)), literal(cadence.first)
    key = f"_day - CAST((_day - {first}) % {cadence.days} AS INTEGER)"
    # Rows of one moment stay in the package's order, so that a file is the same however often it is written.
    sql = f"""
        SELECT * EXCLUDE (_day, {ROW_NUMBER}), strftime({key}, '%Y-%m-%d') AS _key
        FROM (SELECT *, CAST({time} AS DATE) AS _day FROM {raw}) WHERE _day >= {first} ORDER BY {time}, {ROW_NUMBER}"""
    rows = _rows(sql, work)
    counts = {found["values"].as_py(): found["counts"].as_py() for found in pc.value_counts(rows["_key"])}
    bare, starts, start = rows.drop_columns(["_key"]), {}, 0
    for key in sorted(counts):
        starts[key] = start
        start += counts[key]
    for key in keys:
        yield key, bare.slice(starts.get(key, 0), counts.get(key, 0))


def _rows(sql: str, work: Work) -> pa.Table:
    return work.platform.compute.query(sql, {}).table()


def _write(rows: pa.Table, file: Path) -> None:
    """Under another name first, so that nobody reads half a file."""
    import pyarrow.parquet as pq

    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.part")
    pq.write_table(rows, aside)
    aside.replace(file)


def _packaged(example: Packaged) -> Path:
    try:
        return Path(str(distribution(example.distribution).locate_file(example.path)))
    except PackageNotFoundError as error:
        raise SourceError(f"Example data is missing. Run: pip install {example.distribution}") from error
