"""Example data from an installed package, delivered file by file the way a supplier would."""

from __future__ import annotations

import bz2
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING

from platform_ml.engine.feed import feed_of
from platform_ml.engine.judgement import ROW_NUMBER
from platform_ml.engine.ports import WHOLE
from platform_ml.origins import Files
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
    import pyarrow.parquet as pq

    if source.example is None:
        raise SourceError(f"{work.table(source)} has no example data. Its files come from outside.")
    keys = source.cadence.keys() if source.cadence else [WHOLE]
    feed, files = feed_of(source, work), Files()
    there = files.listing(feed).partitions
    missing = [key for key in keys if key not in there]
    if missing:
        with _unpacked(source.example) as file, tempfile.TemporaryDirectory() as folder:
            raw, made = _raw(source, source.example, file, work), Path(folder, "made")
            for key, rows in _parts(source, missing, raw, work):
                pq.write_table(rows, made)
                files.deliver(feed, key, made)
    return len(missing)


def _parts(source: Source, keys: list[str], raw: str, work: Work) -> Iterator[tuple[str, pa.Table]]:
    if source.cadence is not None:
        return _by_key(source, source.cadence, keys, raw, work)
    rows = _rows(f"SELECT * EXCLUDE ({ROW_NUMBER}) FROM {raw} ORDER BY {ROW_NUMBER}", work)
    return ((key, rows) for key in keys)


@contextmanager
def _unpacked(example: Packaged) -> Iterator[Path]:
    """The file itself; what is packed is copied piece by piece, so that its size does not matter."""
    packed = _packaged(example.distribution, example.path)
    if packed.suffix not in (".bz2", ".zip"):
        yield packed
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "packaged.csv")
        with _opened(packed) as inside, file.open("wb") as outside:
            shutil.copyfileobj(inside, outside)
        yield file


@contextmanager
def _opened(packed: Path) -> Iterator[IO[bytes]]:
    if packed.suffix == ".bz2":
        with bz2.open(packed) as inside:
            yield inside
        return
    with zipfile.ZipFile(packed) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(".csv")]
        if len(members) != 1:
            raise SourceError(f"{packed} holds {len(members)} CSV files; it must hold one. Repack it.")
        with archive.open(members[0]) as inside:
            yield inside


def _raw(source: Source, example: Packaged, file: Path, work: Work) -> str:
    """The file's rows in its order, with the number of each, and with the columns that the package lacks."""
    if file.suffix == ".csv":
        rows = _csv(source, example, file, work)
    else:
        rows = f"read_parquet({literal(str(file))}, file_row_number = true)"
    for path, on in example.joins:
        rows = _joined(source, rows, _packaged(example.distribution, path), on, work)
    if not example.adds:
        return rows
    if twice := [name for name, _ in example.adds if name in _names(rows, work)]:
        raise SourceError(f"{work.table(source)}: {example.path} has a column {twice[0]!r} already. Do not add it.")
    added = ", ".join(f"{expression} AS {identifier(name)}" for name, expression in example.adds)
    return f"(SELECT *, {added} FROM {rows})"


def _joined(source: Source, rows: str, file: Path, on: tuple[str, ...], work: Work) -> str:
    other, key = f"read_parquet({literal(str(file))})", ", ".join(map(identifier, on))
    shared = [name for name in _names(other, work) if name in _names(rows, work)]
    if sorted(shared) != sorted(on):
        raise SourceError(f"{work.table(source)}: {file.name} is joined by {key}, but shares {', '.join(shared)}.")
    twice = _rows(f"SELECT count(*) AS n FROM (SELECT 1 FROM {other} GROUP BY {key} HAVING count(*) > 1)", work)
    if twice["n"][0].as_py():
        raise SourceError(f"{work.table(source)}: {file.name} has several rows for a {key}. Join by its key.")
    return f"(SELECT * FROM {rows} AS own LEFT JOIN {other} AS other USING ({key}))"


def _csv(source: Source, example: Packaged, file: Path, work: Work) -> str:
    """Nothing is guessed: text becomes what the source declares, or the delivery stops at the value that cannot."""
    nulls = ", ".join(map(literal, example.nulls))
    dialect = "delim = ',', quote = '\"', escape = '\"', header = true, parallel = false"
    text = f"read_csv({literal(str(file))}, {dialect}, all_varchar = true, nullstr = [{nulls}])"
    typed = ", ".join(
        f"CAST({identifier(name)} AS {source.types[name].sql}) AS {identifier(name)}"
        for name in _names(text, work)
        if name in source.types
    )
    replaced = f"* REPLACE ({typed})" if typed else "*"
    return f"(SELECT {replaced}, row_number() OVER () - 1 AS {ROW_NUMBER} FROM {text})"


def _by_key(source: Source, cadence: Cadence, keys: list[str], raw: str, work: Work) -> Iterator[tuple[str, pa.Table]]:
    import pyarrow.compute as pc

    time, first = identifier(str(source.event_time)), literal(cadence.first)
    key = f"_day - CAST((_day - {first}) % {cadence.days} AS INTEGER)"
    since, until = literal(cadence.day(keys[0])), literal(cadence.day(keys[-1]) + timedelta(days=cadence.days))
    # Rows of one moment stay in the package's order, so that a file is the same however often it is written.
    sql = f"""
        SELECT * EXCLUDE (_day, {ROW_NUMBER}), strftime({key}, '%Y-%m-%d') AS _key
        FROM (SELECT *, CAST({time} AS DATE) AS _day FROM {raw})
        WHERE _day >= {since} AND _day < {until} ORDER BY {time}, {ROW_NUMBER}"""
    rows = _rows(sql, work)
    counts = {found["values"].as_py(): found["counts"].as_py() for found in pc.value_counts(rows["_key"])}
    bare, starts, start = rows.drop_columns(["_key"]), {}, 0
    for key in sorted(counts):
        starts[key] = start
        start += counts[key]
    for key in keys:
        yield key, bare.slice(starts.get(key, 0), counts.get(key, 0))


def _names(relation: str, work: Work) -> list[str]:
    names: list[str] = _rows(f"DESCRIBE FROM {relation}", work)["column_name"].to_pylist()
    return names


def _rows(sql: str, work: Work) -> pa.Table:
    return work.platform.compute.query(sql, {}).table()


def _packaged(name: str, path: str) -> Path:
    try:
        file = Path(str(distribution(name).locate_file(path)))
    except PackageNotFoundError as error:
        raise SourceError(f"Example data is missing. Run: pip install {name}") from error
    return file if file.exists() else _editable(path) or file


def _editable(path: str) -> Path | None:
    """Where the file is when its package is imported from elsewhere than it is installed: from a checkout."""
    package, _, rest = path.partition("/")
    found = find_spec(package)
    places = found.submodule_search_locations or [] if found else []
    return next((file for place in places if (file := Path(place, rest)).exists()), None)
