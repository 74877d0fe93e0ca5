"""The files of one partition become one delivery: one row for each key, whichever file it is in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from platform_ml.engine.fetched import format_of
from platform_ml.engine.judgement import exact_sql, repeated_sql, repeats, repeats_earlier, taken_sql
from platform_ml.engine.key_order import ordered
from platform_ml.engine.triage import Triaged, refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from platform_ml.engine.ports import Compute, Relation
    from platform_ml.spec.source import Broken, Source

FILE_BITS = 40
"""Of the number of a row among all files: how many bits say where in its file it is; those above say in which."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One file, with its rows divided."""

    name: str
    file: Path
    rows: Triaged
    broken: Sequence[Broken]
    raw: str
    """The relation that the rows came from."""
    delivered: Collection[str]
    """Its columns."""

    @property
    def count(self) -> int:
        """How many rows the file has, those that are none counted."""
        return int(self.rows.good.num_rows) + int(self.rows.wrong.num_rows) + len(self.broken)


def one_of_each(source: Source, files: Sequence[Judged], taken: Relation | None, compute: Compute) -> list[Judged]:
    """The files without rows whose key is `taken` by an earlier partition, or is in another file of this one, too."""
    if taken is not None:
        good = {"rows": _numbered(source, files), "taken": taken}
        files = _without(
            source, files, compute.query(taken_sql(source), good).table(), repeats_earlier(source), compute
        )
    if len(files) > 1:
        good = {"rows": _numbered(source, files)}
        files = _without(source, files, compute.query(repeated_sql(source), good).table(), repeats(source), compute)
    return list(files)


def accepted(source: Source, files: Sequence[Judged]) -> pa.Table:
    """All good rows, sorted by key."""
    import pyarrow as pa

    good = pa.concat_tables(one.rows.good.select(list(source.types)) for one in files)
    return ordered(good, source.key)[0]


def repeated(source: Source, files: Sequence[Judged], good: pa.Table, compute: Compute) -> tuple[int, int]:
    """Rows that repeat the key of an accepted one, and how many of them are that row over again."""
    import pyarrow as pa

    again = pa.concat_tables(one.rows.again for one in files)
    if not again.num_rows:
        return 0, 0
    exact = compute.query(exact_sql(source), {"repeated": again, "accepted": good}).table()["n"][0].as_py()
    return again.num_rows, exact


def rejected(source: Source, files: Sequence[Judged]) -> pa.Table:
    """What is not let in: row_number (among all files), line, record, reasons, file, file_row (in its file)."""
    import pyarrow as pa

    start, parts = 0, []
    for one in files:
        parts.append(_rejected(source, one, start))
        start += one.count
    return pa.concat_tables(parts).sort_by("row_number")


def _rejected(source: Source, one: Judged, start: int) -> pa.Table:
    import pyarrow as pa

    rows = _numbers(one.rows.wrong["_row"].to_pylist(), one.broken)
    lines = format_of(source).lines(str(one.file), rows) if rows else {}
    places = [*rows, *(broken.row for broken in one.broken)]
    columns = {
        "row_number": [start + row for row in places],
        "line": [*map(lines.get, rows), *(broken.line for broken in one.broken)],
        "record": [*one.rows.wrong["_record"].to_pylist(), *(broken.record for broken in one.broken)],
        "reasons": [
            *(_told(source, some) for some in one.rows.wrong["_reasons"].to_pylist()),
            *(broken.reason for broken in one.broken),
        ],
        "file": [one.name] * len(places),
        "file_row": places,
    }
    kinds = {"row_number": pa.int64(), "line": pa.int64(), "record": pa.string(), "reasons": pa.string()}
    return pa.table(columns, schema=pa.schema({**kinds, "file": pa.string(), "file_row": pa.int64()}))


def _told(source: Source, reasons: Sequence[str]) -> str:
    """What is wrong with a row; of a value that could not be read it is not said as well that there is none."""
    faults = [one for one in reasons if not one.endswith(" is null")]
    nulls = {f"{name} is null": name for name in source.types}
    unread = {one for one, name in nulls.items() if any(fault.startswith(f"{name} ") for fault in faults)}
    return "; ".join(one for one in reasons if one not in unread)


def _numbers(rows: Iterable[int], broken: Sequence[Broken]) -> list[int]:
    """The numbers that rows of a sifted copy have in the file itself; both are in order."""
    numbers, passed = [], 0
    for row in rows:
        while passed < len(broken) and broken[passed].row <= row + passed:
            passed += 1
        numbers.append(row + passed)
    return numbers


def _numbered(source: Source, files: Sequence[Judged]) -> pa.Table:
    """What decides which row of a key is kept."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = [*source.key, *([source.keep_by] if source.keep_by else [])]
    return pa.concat_tables(
        one.rows.good.select(names).append_column("_row", pc.add(one.rows.good["_row"], pa.scalar(number << FILE_BITS)))
        for number, one in enumerate(files)
    )


def _without(source: Source, files: Sequence[Judged], lost: pa.Table, reason: str, compute: Compute) -> list[Judged]:
    """The files without these good rows, which are not let in for this reason."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not lost.num_rows:
        return list(files)
    number = pc.shift_right(lost["_row"], pa.scalar(FILE_BITS))
    place = pc.bit_wise_and(lost["_row"], pa.scalar((1 << FILE_BITS) - 1))
    found = []
    for index, one in enumerate(files):
        rows = pa.table({"_row": pc.filter(place, pc.equal(number, index))})
        if not rows.num_rows:
            found.append(one)
            continue
        good, wrong, again = one.rows.good, one.rows.wrong, one.rows.again
        is_lost = pc.is_in(good["_row"], rows["_row"])
        late = refused(one.raw, one.delivered, rows, reason, compute)
        if reason == repeats(source):
            again = pa.concat_tables([again, good.filter(is_lost).select(again.column_names)])
        left = Triaged(
            good=good.filter(pc.invert(is_lost)),
            wrong=pa.concat_tables([wrong, late]).sort_by("_row"),
            again=again,
            outside=one.rows.outside,
        )
        found.append(replace(one, rows=left))
    return found
