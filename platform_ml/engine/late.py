"""Rows whose key another partition of their source has: counted, and rejected where that is declared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from platform_ml.engine.audit import Check, Finding
from platform_ml.engine.content import content_hash
from platform_ml.engine.judgement import repeats_earlier
from platform_ml.engine.ports import PARTITION, Files
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from platform_ml.engine.delivery import Delivery
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot
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
    """One anti join's worth of work for all partitions: their keys against those of the days around them."""
    import pyarrow as pa

    own = {delivery.key for delivery in deliveries}
    around = {
        other for delivery in deliveries for other in _around(source, delivery.key, known.partitions if known else ())
    }
    schema = pa.schema([*deliveries[0].accepted.select(source.key).schema, pa.field(PARTITION, pa.string())])
    files = Files(paths=known.paths(around - own) if known else [], schema=known.schema if known else schema)
    names = ", ".join(map(identifier, source.key))
    before = f"there._day < rows._day AND there._day >= rows._day - {source.late.days}"
    after = f"there._day > rows._day AND there._day <= rows._day + {source.late.days}"
    same = " AND ".join(f"there.{name} = rows.{name}" for name in map(identifier, source.key))
    sql = f"""
WITH rows AS (SELECT *, CAST({PARTITION} AS DATE) AS _day FROM now),
outside AS (SELECT *, CAST({PARTITION} AS DATE) AS _day FROM strays),
old AS (SELECT {names}, CAST({PARTITION} AS DATE) AS _day FROM known),
there AS (SELECT {names}, _day FROM rows UNION ALL FROM old)
SELECT {PARTITION}, 'let_in' AS what, count(*) AS n FROM rows SEMI JOIN there ON {same} AND {before} GROUP BY ALL
UNION ALL
SELECT {PARTITION}, 'rejected', count(*) FROM outside AS rows SEMI JOIN there ON {same} AND {before} GROUP BY ALL
UNION ALL
SELECT {PARTITION}, 'later', count(*) FROM rows SEMI JOIN old AS there ON {same} AND {after} GROUP BY ALL"""
    relations = {
        "now": _keyed((delivery.key, delivery.accepted) for delivery in deliveries).select(schema.names),
        "strays": _keyed((delivery.key, delivery.outside) for delivery in deliveries).select(schema.names),
        "known": files,
    }
    found: dict[str, dict[str, int]] = {delivery.key: _rejected(source, delivery) for delivery in deliveries}
    for row in work.platform.compute.query(sql, relations).table().to_pylist():
        numbers = found[row[PARTITION]]
        numbers[row["what"]] = numbers.get(row["what"], 0) + row["n"]
    return {key: Counts(**numbers) for key, numbers in found.items()}


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
