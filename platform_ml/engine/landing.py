"""Example data of an installed package or a simulator, delivered file by file the way a supplier would."""

from __future__ import annotations

import bz2
import shutil
import tempfile
import zipfile
from contextlib import contextmanager
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING

from platform_ml.engine.content import file_sha256
from platform_ml.engine.feed import feed_of
from platform_ml.engine.fetched import format_of
from platform_ml.engine.judgement import ROW_NUMBER
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.simulated import remember
from platform_ml.formats import CSV, Parquet
from platform_ml.origins import Files
from platform_ml.spec.errors import SourceError
from platform_ml.spec.source import DAY, Simulated
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
    keys = source.cadence.keys() if source.cadence else [WHOLE]
    feed, files = feed_of(source, work), Files()
    there = files.listing(feed).partitions
    missing = [key for key in keys if key not in there]
    if missing:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder, "made")
            hashes = set()
            for key, rows in _examples(source, source.example, missing, work):
                _write(rows, made, source)
                if rows.num_rows and isinstance(source.example, Simulated):
                    hashes.add(file_sha256(made))
                files.deliver(feed, key, made)
            if hashes:
                remember(source, hashes, work=work)
    return len(missing)


def deliver_export(source: Source, file: Path, *, work: Work) -> int:
    """Divide a file of many days into one of each partition, in place of what is there, and return their number.

    Values stay as they are written, but under the names and in the units of the source: what cannot be read is judged
    when a partition is. A day without rows is delivered as a file without rows.

    Raises:
        SourceError: the file cannot be read, or holds rows of which the partition cannot be told.
    """
    rows, feed, files = read_export(source, file, work=work), feed_of(source, work), Files()
    if source.cadence is None:
        files.deliver(feed, WHOLE, file)
        return 1
    keys = source.cadence.keys()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "made")
        for key, some in _of_days(rows, source.cadence, keys):
            _write(some, made, source)
            files.deliver(feed, key, made)
    return len(keys)


def read_export(source: Source, file: Path, *, work: Work) -> pa.Table:
    """The rows that `deliver_export` would divide, in the order of their days: its errors, and nothing delivered."""
    raw, names = _exported(source, file, work), ", ".join(identifier(column.name) for column in source.columns)
    if source.cadence is None or source.event_time is None:
        return _rows(f"SELECT {names} FROM {raw} ORDER BY {ROW_NUMBER}", work)
    time = f"TRY_CAST({identifier(source.event_time)} AS TIMESTAMPTZ)"
    day = f"CAST({time} AS DATE) - DATE '1970-01-01' AS {DAY}"
    rows = _rows(f"SELECT {names}, {day} FROM {raw} ORDER BY {DAY}, {ROW_NUMBER}", work)
    _check_days(rows, source, source.cadence, file)
    return rows


def _exported(source: Source, file: Path, work: Work) -> str:
    """The file as a relation that has every column of the source."""
    form = format_of(source)
    if problem := form.problem(str(file)):
        raise SourceError(f"{file} cannot be read: {problem}. Nothing was delivered.")
    try:
        raw = form.sql(str(file), source.columns)
    except SourceError as error:
        raise SourceError(f"{file}: {error}, and nothing was delivered.") from error
    there = _names(raw, work)
    if missing := [column.name for column in source.columns if column.name not in there]:
        raise SourceError(
            f"{file}: nothing in its header is {' or '.join(map(repr, missing))}. Add such a column, or declare in the "
            f"format of {source.name!r} what it is called here: Read({missing[0]!r}, ...). Nothing was delivered."
        )
    if not _rows(f"SELECT 1 FROM {raw} LIMIT 1", work).num_rows:
        raise SourceError(f"{file} has a header and no rows. Export it again. Nothing was delivered.")
    return raw


def _check_days(rows: pa.Table, source: Source, cadence: Cadence, file: Path) -> None:
    """Refuse rows of days that no partition has, and rows of no day."""
    import pyarrow.compute as pc

    keys, days = cadence.keys(), rows[DAY]
    first, last = cadence.day(keys[0]), cadence.day(keys[-1]) + timedelta(days=cadence.days - 1)
    outside = days.filter(pc.or_(pc.less(days, _number(first)), pc.greater(days, _number(last))))
    wrong = []
    if len(outside):
        since, until = (date(1970, 1, 1) + timedelta(days=pc.min_max(outside)[end].as_py()) for end in ("min", "max"))
        wrong.append(f"{len(outside):,} are of other days, from {since} to {until}")
    if days.null_count:
        odd = rows[source.event_time].filter(pc.is_null(days))[0].as_py()
        wrong.append(f"{days.null_count:,} have no {source.event_time} that can be read, like {odd!r}")
    if wrong:
        raise SourceError(
            f"{file}: source {source.name!r} has the days {first} to {last}. Of {rows.num_rows:,} rows "
            f"{', '.join(wrong)}. Declare a cadence that has all days, or have the rows mended or left out. Nothing "
            "was delivered."
        )


def _examples(
    source: Source, example: Packaged | Simulated, keys: list[str], work: Work
) -> Iterator[tuple[str, pa.Table]]:
    if isinstance(example, Simulated):
        yield from _simulated(source, example, keys)
        return
    with _unpacked(example) as file:
        yield from _parts(source, keys, _raw(source, example, file, work), work)


def _simulated(source: Source, example: Simulated, keys: list[str]) -> Iterator[tuple[str, pa.Table]]:
    """The rows that are delivered under the days of each partition."""
    rows = example.by.rows(example.table)
    if source.cadence is None:
        yield WHOLE, rows
    else:
        yield from _of_days(rows, source.cadence, keys)


def _of_days(rows: pa.Table, cadence: Cadence, keys: list[str]) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each partition, of rows in the order of their days."""
    import numpy as np

    days, bare = rows[DAY].to_numpy(), rows.drop_columns([DAY])
    for key in keys:
        first = _number(cadence.day(key))
        start, end = np.searchsorted(days, [first, first + cadence.days])
        yield key, bare.slice(start, end - start)


def _number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _write(rows: pa.Table, file: Path, source: Source) -> None:
    import pyarrow.csv
    import pyarrow.parquet as pq

    match source.format:
        case Parquet():
            pq.write_table(rows, file)
        case CSV(delimiter=",", quote='"', encoding="utf-8", decimal=".", header=True):
            pyarrow.csv.write_csv(rows, file, pyarrow.csv.WriteOptions(quoting_style="needed"))
        case other:
            raise SourceError(
                f"Source {source.name!r}: example data is written as Parquet or as plain CSV, not {other}."
            )


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
    return list(work.platform.compute.query(f"FROM {relation}", {}).types())


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
