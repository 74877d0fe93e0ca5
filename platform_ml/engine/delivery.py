"""One delivered file, its rows divided into those that are let in and those that are kept aside."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine.feed import feed_of, origin_of
from platform_ml.engine.fetched import format_of
from platform_ml.engine.fixes import fixes_of, inputs, judged_fixes
from platform_ml.engine.judgement import FAULTS, RECORD, ROW_NUMBER, exact_sql, judged_sql, repeats
from platform_ml.engine.retry import patiently
from platform_ml.spec.errors import PlatformError, SourceError, did_you_mean
from platform_ml.spec.schema import NUMBERS, Timestamp
from platform_ml.spec.window import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Compute
    from platform_ml.spec.origin import Delivered
    from platform_ml.spec.schema import Column
    from platform_ml.spec.source import Broken, Source

NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)")
TIME = re.compile(r"DATE|TIMESTAMP(TZ)?(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE")
"""DuckDB's names of the types that are numbers and times."""
SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What one file held."""

    key: str
    file: Path
    name: str
    """What people call it."""
    place: str
    """Where people find it."""
    state: str
    """The digest of what was delivered."""
    inputs: str
    """The same, and of the fixes of its rows where there are any."""
    manifest: tuple[Delivered, ...]
    """What the table's commits remember of it."""
    accepted: pa.Table
    rejected: pa.Table
    """row_number, line, reasons, record (the delivered row as JSON, or its text when it could not be divided)."""

    replayed: int = 0
    """Accepted rows that somebody fixed."""

    repeated: int = 0
    """Good rows that were rejected because another one has their key."""
    exact: int = 0
    """Of those, the ones that are the same in every column."""

    @property
    def share(self) -> float:
        """The share of rejected rows."""
        total = self.accepted.num_rows + self.rejected.num_rows
        return self.rejected.num_rows / total if total else 0.0


class UnreadableError(SourceError):
    """A file that cannot be read at all."""

    def __init__(self, where: str, file: Path, reason: str) -> None:
        super().__init__(f"{where} cannot be read: {reason}. Have it delivered again; earlier data was not touched.")
        self.file, self.reason = file, reason


def read(source: Source, key: str, *, work: Work, scratch: Path | None = None) -> Delivery:
    """One file, its rows divided into accepted and rejected; `SourceError` when it cannot be read at all.

    What has no file is copied into `scratch`, and into a folder that is gone afterwards where there is none.
    """
    if source.cadence is not None:
        source.cadence.day(key)
    what = f"{work.table(source)}, partition {key}"
    return patiently(lambda: _read(source, key, work, scratch), what, retry=source.retry, work=work)


def _read(source: Source, key: str, work: Work, scratch: Path | None) -> Delivery:
    origin, feed = origin_of(source), feed_of(source, work, scratch)
    source = replace(source, format=format_of(source), origin=None)
    form = format_of(source)
    with origin.fetch(feed, key) as fetched:
        try:
            if problem := form.problem(str(fetched.path)):
                raise SourceError(problem)
            judged, broken = _judged(source, key, fetched.path, work.platform.compute)
            accepted, rejected = _divided(source, fetched.path, judged, broken)
        except (PlatformError, OSError, UnicodeError) as error:
            where = f"{work.table(source)}, partition {key}: {origin.place(feed, key)}"
            raise UnreadableError(where, fetched.path, str(error)) from error
    repeated, exact = _duplicates(source, judged, accepted, work.platform.compute)
    delivery = Delivery(
        key=key,
        file=fetched.path,
        name=fetched.name,
        place=origin.place(feed, key),
        manifest=fetched.manifest,
        state=fetched.state,
        inputs=fetched.state,
        accepted=accepted,
        rejected=rejected,
        repeated=repeated,
        exact=exact,
    )
    return with_fixes(source, delivery, work=work)


def span(source: Source, key: str) -> tuple[datetime, datetime] | None:
    """The first and the last moment of a partition; None for a source without cadence."""
    if source.cadence is None:
        return None
    start = moment(source.cadence.day(key))
    return start, start + timedelta(days=source.cadence.days) - timedelta(microseconds=1)


def with_fixes(source: Source, delivery: Delivery, *, work: Work) -> Delivery:
    """The delivery with the rows that were fixed in place of those that were rejected."""
    import pyarrow as pa
    import pyarrow.compute as pc

    fixes = fixes_of(source, delivery.key, delivery.state, work)
    if fixes is None:
        return delivery
    judged = judged_fixes(source, fixes, delivery.accepted, span=span(source, delivery.key), work=work)
    replaced = judged.filter(pc.is_in(judged["_row"], delivery.rejected["row_number"]))
    accepted, still = _divided(source, None, replaced, ())
    lines = dict(zip(*delivery.rejected.select(["row_number", "line"]).to_pydict().values(), strict=True))
    still = still.set_column(1, "line", pa.array([lines[n] for n in still["row_number"].to_pylist()], pa.int64()))
    others = delivery.rejected.filter(pc.invert(pc.is_in(delivery.rejected["row_number"], replaced["_row"])))
    together = pa.concat_tables([delivery.accepted, accepted]).sort_by([(name, "ascending") for name in source.key])
    return replace(
        delivery,
        inputs=inputs(source, delivery.key, delivery.state, work),
        accepted=together,
        rejected=pa.concat_tables([others, still]).sort_by("row_number"),
        replayed=accepted.num_rows,
    )


def _judged(source: Source, key: str, file: Path, compute: Compute) -> tuple[pa.Table, Sequence[Broken]]:
    """All rows with what is wrong with them, and the records that are no rows."""
    form = format_of(source)
    if form.direct:
        try:
            return _rows(source, key, str(file), compute), ()
        except SourceError:
            raise
        except PlatformError as error:
            reason = error
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "sifted")
        broken = form.sift(str(file), str(copy), source.columns)
        if broken is None:
            raise SourceError(str(reason)) from reason
        return _rows(source, key, str(copy), compute, sifted=True), broken


def _rows(source: Source, key: str, path: str, compute: Compute, *, sifted: bool = False) -> pa.Table:
    raw = format_of(source).sql(path, source.columns, sifted=sifted)
    described = compute.query(f"DESCRIBE FROM {raw}", {}).table().to_pylist()
    delivered = {row["column_name"]: row["column_type"] for row in described}
    _check_columns(source, delivered)
    judged = compute.query(judged_sql(source, raw, delivered=delivered, span=span(source, key)), {}).table()
    unknown = [column for column in source.columns if judged[column.name].null_count == judged.num_rows]
    names = format_of(source).names(path)
    if names and unknown and judged.num_rows:
        there = compute.query(names, {}).table()["name"].to_pylist()
        for column in unknown:
            if there and column.name not in there:
                raise _missing(column, sorted(there))
    return judged


def _check_columns(source: Source, delivered: dict[str, str]) -> None:
    for column in source.columns:
        found = delivered.get(column.name)
        if found is None:
            raise _missing(column, [name for name in delivered if name not in {ROW_NUMBER, RECORD, FAULTS}])
        if format_of(source).typed and not _readable(column, found):
            raise SourceError(
                f"column {column.name!r} is {found}, declared is {column.type.sql}. Have it delivered as "
                "declared, or change the declaration. Nothing was loaded"
            )


def _missing(column: Column, delivered: Sequence[str]) -> SourceError:
    there = ", ".join(map(repr, delivered[:SHOWN])) + (", ..." if len(delivered) > SHOWN else "")
    hint = did_you_mean(column.name, delivered) or f" There are: {there[:200]}."
    return SourceError(f"column {column.name!r} is missing.{hint} Nothing was loaded")


def _readable(column: Column, found: str) -> bool:
    if isinstance(column.type, NUMBERS):
        return NUMBER.fullmatch(found) is not None
    if isinstance(column.type, Timestamp):
        return TIME.fullmatch(found) is not None
    return found == column.type.sql


def _divided(
    source: Source, file: Path | None, judged: pa.Table, broken: Sequence[Broken]
) -> tuple[pa.Table, pa.Table]:
    import pyarrow as pa
    import pyarrow.compute as pc

    bad = pc.greater(pc.list_value_length(judged["_reasons"]), 0)
    accepted = judged.filter(pc.invert(bad)).select(list(source.types))
    accepted = accepted.sort_by([(name, "ascending") for name in source.key])
    wrong = judged.filter(bad)
    rows = _numbers(wrong["_row"].to_pylist(), broken)
    lines = format_of(source).lines(str(file), rows) if rows and file else {}
    schema = pa.schema({"row_number": pa.int64(), "line": pa.int64(), "record": pa.string(), "reasons": pa.string()})
    columns = {
        "row_number": [*rows, *(one.row for one in broken)],
        "line": [*map(lines.get, rows), *(one.line for one in broken)],
        "record": [*wrong["_record"].to_pylist(), *(one.record for one in broken)],
        "reasons": [*(_told(source, some) for some in wrong["_reasons"].to_pylist()), *(one.reason for one in broken)],
    }
    rejected = pa.table(columns, schema=schema)
    return accepted, rejected.sort_by("row_number")


def _told(source: Source, reasons: Sequence[str]) -> str:
    """What is wrong with a row; of a value that could not be read it is not said as well that there is none."""
    faults = [one for one in reasons if not one.endswith(" is null")]
    nulls = {f"{name} is null": name for name in source.types}
    unread = {one for one, name in nulls.items() if any(fault.startswith(f"{name} ") for fault in faults)}
    return "; ".join(one for one in reasons if one not in unread)


def _duplicates(source: Source, judged: pa.Table, accepted: pa.Table, compute: Compute) -> tuple[int, int]:
    """Rows that repeat the key of an accepted one, and how many of them are that row over again."""
    import pyarrow.compute as pc

    wrong = judged.filter(pc.greater(pc.list_value_length(judged["_reasons"]), 0))
    repeated = wrong.filter(pc.equal(pc.list_element(wrong["_reasons"], 0), repeats(source)))
    if not repeated.num_rows:
        return 0, 0
    exact = compute.query(exact_sql(source), {"repeated": repeated.select(list(source.types)), "accepted": accepted})
    return repeated.num_rows, exact.table()["n"][0].as_py()


def _numbers(rows: Iterable[int], broken: Sequence[Broken]) -> list[int]:
    """The numbers that rows of a sifted copy have in the file itself; both are in order."""
    numbers, passed = [], 0
    for row in rows:
        while passed < len(broken) and broken[passed].row <= row + passed:
            passed += 1
        numbers.append(row + passed)
    return numbers
