"""What was delivered for a partition, its rows divided into those that are let in and those that are kept aside."""

from __future__ import annotations

import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine.feed import feed_of, origin_of
from platform_ml.engine.fetched import format_of
from platform_ml.engine.fixes import fixes_of, inputs, judged_fixes
from platform_ml.engine.judgement import FAULTS, RECORD, ROW_NUMBER, triaged_sql
from platform_ml.engine.retry import patiently
from platform_ml.engine.several import Judged, accepted, one_of_each, rejected, repeated
from platform_ml.engine.triage import judge
from platform_ml.spec.errors import PlatformError, SourceError, did_you_mean
from platform_ml.spec.schema import NUMBERS, Timestamp
from platform_ml.spec.window import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
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
    """What was delivered for one partition."""

    key: str
    place: str
    """Where it was delivered, for people."""
    files: Mapping[str, Path]
    """Name → local file; those of other places are gone when the context of `reading` ends."""
    state: str
    """The digest of what was delivered."""
    inputs: str
    """The same, and of the fixes of its rows where there are any."""
    accepted: pa.Table
    rejected: pa.Table
    """row_number, line, record (the delivered row as JSON, or its text when it could not be divided), reasons, file,
    file_row. `row_number` counts through all files of the partition, in name order; `file_row` begins anew in each."""

    outside: pa.Table
    """The keys of rows that are good but for a time that belongs to another partition."""
    manifest: Sequence[Delivered] = ()
    """The files, as the table's commits remember them."""

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

    def __init__(self, where: str, name: str, file: Path, reason: str, manifest: Sequence[Delivered]) -> None:
        super().__init__(f"{where} cannot be read: {reason}. Have it delivered again; earlier data was not touched.")
        self.name, self.file, self.reason, self.manifest = name, file, reason, manifest


def _raised(error: UnreadableError) -> None:
    """Nobody wants the file."""


def read(source: Source, key: str, *, work: Work) -> Delivery:
    """What was delivered, its rows divided into accepted and rejected; `SourceError` when it cannot be read at all."""

    def once() -> Delivery:
        with reading(source, key, work=work) as delivery:
            return delivery

    return patiently(once, f"{work.table(source)}, partition {key}", retry=source.retry, work=work)


@contextmanager
def reading(
    source: Source,
    key: str,
    *,
    work: Work,
    taken: pa.Table | None = None,
    refuse: Callable[[UnreadableError], object] = _raised,
) -> Iterator[Delivery]:
    """What `read` returns, for as long as its files are there; `taken` are keys that no row may have.

    `refuse` is called with an error while the file that cannot be read is still there.

    Raises:
        SourceError: nothing was delivered, or, when the context ends, it changed meanwhile.
        UnreadableError: one of the files cannot be read.
    """
    if source.cadence is not None:
        source.cadence.day(key)
    import pyarrow as pa

    origin, feed, compute = origin_of(source), feed_of(source, work), work.platform.compute
    source = replace(source, format=format_of(source), origin=None)
    place = origin.place(feed, key)
    with origin.fetch(feed, key) as fetched, tempfile.TemporaryDirectory() as folder:
        files: list[Judged] = []
        for name, file in fetched.files.items():
            copy = Path(folder, str(len(files)))
            try:
                files.append(_judged(source, key, name, file, copy, compute))
            except (PlatformError, OSError, UnicodeError) as error:
                where = f"{work.table(source)}, partition {key}: {place}"
                where = f"{where}: {name}" if len(fetched.files) > 1 else where
                unreadable = UnreadableError(where, name, file, str(error), fetched.manifest)
                refuse(unreadable)
                raise unreadable from error
        files = one_of_each(source, files, taken, compute)
        good = accepted(source, files)
        again, exact = repeated(source, files, good, compute)
        delivery = Delivery(
            key=key,
            place=place,
            files=fetched.files,
            state=fetched.state,
            inputs=fetched.state,
            accepted=good,
            rejected=rejected(source, files),
            outside=pa.concat_tables(one.rows.outside for one in files),
            manifest=fetched.manifest,
            repeated=again,
            exact=exact,
        )
        yield with_fixes(source, delivery, work=work, taken=taken)


def span(source: Source, key: str) -> tuple[datetime, datetime] | None:
    """The first and the last moment of a partition; None for a source without cadence."""
    if source.cadence is None:
        return None
    start = moment(source.cadence.day(key))
    return start, start + timedelta(days=source.cadence.days) - timedelta(microseconds=1)


def with_fixes(source: Source, delivery: Delivery, *, work: Work, taken: pa.Table | None = None) -> Delivery:
    """The delivery with the rows that were fixed in place of those that were rejected."""
    import pyarrow as pa
    import pyarrow.compute as pc

    fixes = fixes_of(source, delivery.key, delivery.state, work)
    if fixes is None:
        return delivery
    keys = delivery.accepted.select(source.key)
    keys = keys if taken is None else pa.concat_tables([keys, taken.cast(keys.schema)])
    judged = judged_fixes(source, fixes, keys, span=span(source, delivery.key), work=work)
    replaced = judged.filter(pc.is_in(judged["_row"], delivery.rejected["row_number"]))
    bad = pc.greater(pc.list_value_length(replaced["_reasons"]), 0)
    good, wrong = replaced.filter(pc.invert(bad)).select(list(source.types)), replaced.filter(bad)
    still = delivery.rejected.filter(pc.is_in(delivery.rejected["row_number"], wrong["_row"]))
    reasons = pa.array(["; ".join(some) for some in wrong["_reasons"].to_pylist()], pa.string())
    still = still.set_column(2, "record", wrong["_record"].cast(pa.string())).set_column(3, "reasons", reasons)
    others = delivery.rejected.filter(pc.invert(pc.is_in(delivery.rejected["row_number"], replaced["_row"])))
    together = pa.concat_tables([delivery.accepted, good]).sort_by([(name, "ascending") for name in source.key])
    return replace(
        delivery,
        inputs=inputs(source, delivery.key, delivery.state, work),
        accepted=together,
        rejected=pa.concat_tables([others, still]).sort_by("row_number"),
        replayed=good.num_rows,
    )


def _judged(source: Source, key: str, name: str, file: Path, copy: Path, compute: Compute) -> Judged:
    """One file; its records that can be read are sifted into `copy` where it cannot be read as it is."""
    form = format_of(source)
    if problem := form.problem(str(file)):
        raise SourceError(problem)
    one = partial(_divided, source, key, name, file, compute)
    if form.direct:
        try:
            return one(str(file))
        except SourceError:
            raise
        except PlatformError as error:
            reason = error
    broken = form.sift(str(file), str(copy), source.columns)
    if broken is None:
        raise SourceError(str(reason)) from reason
    return one(str(copy), broken=broken)


def _divided(
    source: Source, key: str, name: str, file: Path, compute: Compute, path: str, broken: Sequence[Broken] | None = None
) -> Judged:
    raw = format_of(source).sql(path, source.columns, sifted=broken is not None)
    delivered = compute.query(f"FROM {raw}", {}).types()
    _check_columns(source, delivered)
    moments = span(source, key)
    rows = compute.query(triaged_sql(source, raw, delivered=delivered, span=moments), {}).table()
    unknown = [column for column in source.columns if rows[column.name].null_count == rows.num_rows]
    names = format_of(source).names(path)
    if names and unknown and rows.num_rows:
        there = compute.query(names, {}).table()["name"].to_pylist()
        for column in unknown:
            if there and column.name not in there:
                raise _missing(column, sorted(there))
    triaged = judge(source, rows, raw, delivered=delivered, span=moments, compute=compute)
    return Judged(name=name, file=file, rows=triaged, broken=broken or (), raw=raw, delivered=delivered)


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
