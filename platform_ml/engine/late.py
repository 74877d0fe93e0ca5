"""Rows whose key another partition of their source has: counted, and rejected where that is declared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from platform_ml.engine.audit import Check, Finding
from platform_ml.engine.content import content_hash
from platform_ml.engine.judgement import repeats_earlier
from platform_ml.engine.ports import PARTITION, Files
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.schema import Integer
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.delivery import Delivery
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Relation, Snapshot
    from platform_ml.spec.source import Source

LATE = Check(
    name="late_duplicates",
    blocking=False,
    description="No row has a key that a partition shortly before or after it has, too.",
)


def looks(source: Source) -> bool:
    """Whether keys of other partitions matter: where the event time is a part of the key they cannot be the same."""
    return source.cadence is not None and source.late.days > 0 and source.event_time not in source.key


def rejects(source: Source) -> bool:
    """Whether a late row is not let in."""
    return looks(source) and source.late.keep == "earlier"


def inputs(source: Source, key: str, delivered: str, contents: Mapping[str, str]) -> str:
    """What a partition is made of: what was delivered, and the earlier partitions whose keys are taken."""
    if not rejects(source):
        return delivered
    before = {other: contents[other] for other in _before(source, key, contents)}
    return digest({"delivered": delivered, "earlier": before}) if before else delivered


def contents(snapshot: Snapshot | None) -> dict[str, str]:
    """Partition → content, as they are in the table."""
    return {key: state.content for key, state in snapshot.partitions.items()} if snapshot else {}


def content(source: Source, delivery: Delivery, known: Snapshot | None) -> str:
    """What the content of a partition will be called once it is committed: in the table's order of columns."""
    there = [name for name in known.schema.names if name in source.types] if known else []
    return content_hash(delivery.accepted.select([*there, *(name for name in source.types if name not in there)]))


def taken(
    source: Source, key: str, known: Snapshot | None, *, work: Work, now: Sequence[Delivery] = ()
) -> pa.Table | None:
    """The keys that the partitions before this one have; `now` are those that will replace what the table has."""
    import pyarrow as pa

    if not rejects(source):
        return None
    replaced = {delivery.key: delivery for delivery in now}
    names = ", ".join(map(identifier, source.key))
    parts = [replaced[other].accepted.select(source.key) for other in _before(source, key, replaced)]
    if known and (others := [k for k in _before(source, key, known.partitions) if k not in replaced]):
        files = Files(paths=known.paths(others), schema=known.schema)
        parts.append(work.platform.compute.query(f"SELECT {names} FROM there", {"there": files}).table())
    return pa.concat_tables([part.cast(parts[0].schema) for part in parts]) if parts else None


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many rows of a partition have keys that other partitions have."""

    let_in: int = 0
    """Of an earlier one, and in the table all the same."""
    rejected: int = 0
    """Of an earlier one, and rejected: for that, or because their time is that of the earlier partition."""
    later: int = 0
    """Of a later one that was there first."""


def findings(source: Source, deliveries: Sequence[Delivery], known: Snapshot | None, *, work: Work) -> list[Finding]:
    """What the check says of each partition."""
    if not looks(source):
        return []
    found = _counted(source, deliveries, known, work)
    return [_finding(source, delivery.key, found.get(delivery.key, Counts())) for delivery in deliveries]


def _finding(source: Source, key: str, counts: Counts) -> Finding:
    late, days = counts.let_in + counts.rejected, source.late.days
    if late or counts.later:
        said = (
            f"{late:,} rows have a key that a partition of the {days} days before has, {counts.let_in:,} of them let in"
        )
        if counts.later:
            said += f"; {counts.later:,} have a key that a later partition has, which was there first"
            said += ": materialize that again" if rejects(source) else ""
        said += "."
    else:
        said = f"No key is one of another partition within {days} days."
    numbers = {"late_duplicates": late, "let_in": counts.let_in, "later_duplicates": counts.later}
    return Finding(check=LATE, partition=key, passed=not (counts.let_in or counts.later), reason=said, numbers=numbers)


def _counted(source: Source, deliveries: Sequence[Delivery], known: Snapshot | None, work: Work) -> dict[str, Counts]:
    """Few rows have a key that is elsewhere: those are sought first, and only they are counted."""
    found: dict[str, dict[str, int]] = {delivery.key: _rejected(source, delivery) for delivery in deliveries}
    old, again = _loaded(source, deliveries, known, work), _again(source, deliveries, work)
    if old is not None or again is not None:
        now, strays = _delivered(source, deliveries)
        nothing = now.slice(0, 0)
        relations: dict[str, Relation] = {"now": now, "strays": strays, "known": nothing, "again": nothing}
        relations |= {"known": old} if old is not None else {}
        relations |= {"again": again} if again is not None else {}
        for row in work.platform.compute.query(_count_sql(source), relations).table().to_pylist():
            numbers = found[row[PARTITION]]
            numbers[row["what"]] = numbers.get(row["what"], 0) + row["n"]
    return {key: Counts(**numbers) for key, numbers in found.items()}


def _delivered(source: Source, deliveries: Sequence[Delivery]) -> tuple[pa.Table, pa.Table]:
    """Key and partition of what was let in, and of what was not for its time alone."""
    now = _keyed((delivery.key, delivery.accepted.select(source.key)) for delivery in deliveries)
    return now, _keyed((delivery.key, delivery.outside) for delivery in deliveries).cast(now.schema)


def _loaded(source: Source, deliveries: Sequence[Delivery], known: Snapshot | None, work: Work) -> pa.Table | None:
    """The rows of partitions around these whose keys were delivered, by key and partition."""
    import pyarrow as pa

    there = known.partitions if known else {}
    around = {other for delivery in deliveries for other in _around(source, delivery.key, there)}
    around -= {delivery.key for delivery in deliveries}
    paths = known.paths(around) if known else []
    if known is None or not paths:
        return None
    names = ", ".join(map(identifier, source.key))
    now = pa.concat_tables(delivery.accepted.select(source.key) for delivery in deliveries)
    wanted = pa.concat_tables([now, *(delivery.outside.cast(now.schema) for delivery in deliveries)])
    sql = f"SELECT {names}, {PARTITION} FROM known SEMI JOIN wanted USING ({names}) {_within(source, wanted)}"
    relations: dict[str, Relation] = {"known": Files(paths=paths, schema=known.schema), "wanted": wanted}
    found = work.platform.compute.query(sql, relations).table()
    return found if found.num_rows else None


def _within(source: Source, wanted: pa.Table) -> str:
    """The span of a column of the key: where keys count up, whole files need not be read."""
    import pyarrow.compute as pc

    whole = [name for name in source.key if isinstance(source.types[name], Integer)]
    if not whole or not wanted.num_rows:
        return ""
    ends = [(identifier(name), pc.min_max(wanted[name]).as_py()) for name in whole]
    return "WHERE " + " AND ".join(f"{name} BETWEEN {end['min']} AND {end['max']}" for name, end in ends)


def _again(source: Source, deliveries: Sequence[Delivery], work: Work) -> pa.Table | None:
    """The delivered rows whose keys were delivered for another of these partitions, too, by key and partition."""
    first = source.key[0]
    # Each is sorted by key: where one ends before the next begins, none is in two.
    good = [one.accepted[first] for one in deliveries if one.accepted.num_rows]
    spans = sorted((rows[0].as_py(), rows[-1].as_py()) for rows in good)
    apart = all(one[1] < two[0] for one, two in pairwise(spans))
    if apart and not any(one.outside.num_rows for one in deliveries):
        return None
    names = ", ".join(map(identifier, source.key))
    now, strays = _delivered(source, deliveries)
    twice = "" if apart else f"SELECT {names} FROM now GROUP BY ALL HAVING count(*) > 1 UNION "
    sql = f"SELECT {names}, {PARTITION} FROM now SEMI JOIN ({twice}SELECT {names} FROM strays) USING ({names})"
    found = work.platform.compute.query(sql, {"now": now, "strays": strays}).table()
    return found if found.num_rows else None


def _count_sql(source: Source) -> str:
    names = ", ".join(map(identifier, source.key))
    before = f"there._day < rows._day AND there._day >= rows._day - {source.late.days}"
    after = f"there._day > rows._day AND there._day <= rows._day + {source.late.days}"
    same = " AND ".join(f"there.{name} = rows.{name}" for name in map(identifier, source.key))
    day = f"CAST({PARTITION} AS DATE) AS _day"
    return f"""
WITH old AS (SELECT {names}, {day} FROM known),
there AS (SELECT {names}, {day} FROM again UNION ALL FROM old),
rows AS (SELECT *, {day} FROM now SEMI JOIN there USING ({names})),
outside AS (SELECT *, {day} FROM strays)
SELECT {PARTITION}, 'let_in' AS what, count(*) AS n FROM rows SEMI JOIN there ON {same} AND {before} GROUP BY ALL
UNION ALL
SELECT {PARTITION}, 'rejected', count(*) FROM outside AS rows SEMI JOIN there ON {same} AND {before} GROUP BY ALL
UNION ALL
SELECT {PARTITION}, 'later', count(*) FROM rows SEMI JOIN old AS there ON {same} AND {after} GROUP BY ALL"""


def _rejected(source: Source, delivery: Delivery) -> dict[str, int]:
    import pyarrow.compute as pc

    reason = repeats_earlier(source)
    return {"rejected": pc.sum(pc.equal(delivery.rejected["reasons"], reason), min_count=0).as_py()}


def _keyed(parts: Iterable[tuple[str, pa.Table]]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(rows.append_column(PARTITION, pa.repeat(key, rows.num_rows)) for key, rows in parts)


def _before(source: Source, key: str, keys: Iterable[str]) -> list[str]:
    """Of these partitions those that begin in the days before this one."""
    return [other for other in _around(source, key, keys) if other < key]


def _around(source: Source, key: str, keys: Iterable[str]) -> list[str]:
    """Of these partitions those that begin within the days before or after this one."""
    if source.cadence is None:
        return []
    day, days = source.cadence.day(key), timedelta(days=source.late.days)
    first, last = str(day - days), str(day + days)
    return sorted(other for other in keys if first <= other <= last and other != key)
