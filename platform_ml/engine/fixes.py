"""Rejected rows that somebody fixed: kept for good, and judged like any other whenever their file is read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from platform_ml.engine.judgement import FAULTS, ROW_NUMBER, judged_sql
from platform_ml.formats import CSV, JSONLines
from platform_ml.spec.errors import PlatformError, SourceError, did_you_mean
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.schema import Column, Integer
from platform_ml.spec.sql import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact, Compute
    from platform_ml.spec.source import Source

KIND, FILE, NUMBER = "fixes", "fixes.parquet", "row_number"


def inputs(source: Source, key: str, state: str, work: Work) -> str:
    """What a partition is made of: the file, and the fixes of its rows where there are any."""
    found = fixes_of(source, key, state, work)
    return state if found is None else digest({"file": state, "fixes": found.digest})


def fixes_of(source: Source, key: str, state: str, work: Work) -> Artifact | None:
    """The fixes of the file with this hash; those of a file that was delivered again count no more."""
    newest = work.platform.artifacts.newest(work.place(KIND, source, key))
    return newest if newest and newest.record["file"] == state else None


def judged_fixes(
    source: Source, fixes: Artifact, accepted: pa.Table, *, span: tuple[datetime, datetime] | None, work: Work
) -> pa.Table:
    """Fixed rows with what is still wrong with them; a key that an accepted row has is taken."""
    path = literal(str(fixes.folder / FILE))
    raw = f"(SELECT * EXCLUDE ({NUMBER}), {NUMBER} AS {ROW_NUMBER} FROM read_parquet({path}))"
    text = replace(source, format=CSV(), origin=None)
    sql = judged_sql(text, raw, delivered=[*source.types, ROW_NUMBER, FAULTS], span=span)
    keys = " AND ".join(f"judged.{identifier(name)} = accepted.{identifier(name)}" for name in source.key)
    taken = literal(f"repeats the key ({', '.join(source.key)}) of an accepted row")
    record = ", ".join(f"{identifier(name)} := judged.{identifier(name)}" for name in source.types)
    both = f"""
        SELECT * REPLACE (
            CASE WHEN len(_reasons) = 0 AND taken THEN [{taken}] ELSE _reasons END AS _reasons,
            coalesce(_record, CASE WHEN taken THEN to_json(struct_pack({record})) END) AS _record
        ) FROM (SELECT *, EXISTS (FROM accepted WHERE {keys}) AS taken FROM judged) AS judged ORDER BY _row"""
    return work.platform.compute.query(both, {"judged": sql, "accepted": accepted}).table().drop_columns(["taken"])


def keep_fixes(
    source: Source, key: str, file: Path, *, state: str, rejected: Collection[int], work: Work
) -> tuple[Artifact, int]:
    """Add the rows of `file` (CSV or JSON lines: `row_number` and the source's columns) to the partition's fixes.

    Returns all fixes and how many rows the file has.

    Raises:
        SourceError: the file cannot be read, or names a row that is not in quarantine.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rows = _read(source, file, work.platform.compute)
    earlier = fixes_of(source, key, state, work)
    before = pq.read_table(earlier.folder / FILE) if earlier else rows.slice(0, 0)
    allowed = {*rejected, *before[NUMBER].to_pylist()}
    _check_numbers(rows[NUMBER].to_pylist(), allowed, f"{work.table(source)}, partition {key}: {file}")
    others = before.filter(pc.invert(pc.is_in(before[NUMBER], rows[NUMBER])))
    merged = pa.concat_tables([others, rows]).sort_by(NUMBER)
    numbers = merged[NUMBER].to_pylist()
    record = {"file": state, "source": source.name, "partition": key, "rows": numbers}
    name = digest({"file": state, "rows": merged.to_pylist()})

    def fill(folder: Path) -> None:
        pq.write_table(merged, folder / FILE)

    return work.platform.artifacts.publish(work.place(KIND, source, key), name, record, fill), rows.num_rows


def _check_numbers(numbers: Sequence[int | None], allowed: Collection[int], where: str) -> None:
    if len(set(numbers)) < len(numbers):
        raise SourceError(f"{where} fixes a row twice. Keep one of the two.")
    if unknown := [number for number in numbers if number not in allowed]:
        there = ", ".join(map(str, sorted(allowed)[:10])) or "none"
        raise SourceError(
            f"{where}: row {unknown[0]} is not in quarantine (there: {there}). Take its row_number from there."
        )


def _read(source: Source, file: Path, compute: Compute) -> pa.Table:
    """Fixed rows as text, with their numbers and what JSON values are not."""
    form = JSONLines() if file.suffix == JSONLines.suffix else CSV(may_end_open=True)
    columns = (Column(NUMBER, Integer()), *source.columns)
    try:
        if problem := form.problem(str(file)):
            raise SourceError(problem)
        raw = form.sql(str(file), columns)
        there = list(compute.query(f"FROM {raw}", {}).types())
        if missing := [column.name for column in columns if column.name not in there]:
            raise SourceError(f"column {missing[0]!r} is missing.{did_you_mean(missing[0], there)}")
        names = ", ".join(identifier(column.name) for column in source.columns)
        faults = f"{FAULTS}::VARCHAR[]" if FAULTS in there else "[]::VARCHAR[]"
        sql = f"SELECT CAST({NUMBER} AS BIGINT) AS {NUMBER}, {names}, {faults} AS {FAULTS} FROM {raw} ORDER BY {NUMBER}"
        return compute.query(sql, {}).table()
    except (PlatformError, OSError) as error:
        raise SourceError(f"{file} holds no fixes: {error}. Nothing was changed.") from error
