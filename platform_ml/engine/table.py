"""Staged rows on their way into a table: audited first, committed only when no blocking check stops them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import MAXYEAR, timedelta
from typing import TYPE_CHECKING

from platform_ml.engine.audit import HISTORY, SCHEMA, Expectation, Finding, audit
from platform_ml.engine.key_order import runs
from platform_ml.engine.ports import PARTITION, WHOLE, Content
from platform_ml.engine.retry import commit
from platform_ml.engine.validation import Validation, of_table
from platform_ml.spec.window import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot, Stamp
    from platform_ml.spec.origin import Delivered
    from platform_ml.spec.project import Noun
    from platform_ml.spec.quality import PartitionQuality
    from platform_ml.spec.statistics import PartitionStatistics
    from platform_ml.spec.window import Cadence

CHUNK_DAYS = 92
"""Partitions that are computed and committed together: bounds the memory of a long backfill."""


@dataclass(frozen=True, kw_only=True)
class Staged:
    """The rows of some partitions, sorted by partition and key, and what they were computed from."""

    rows: pa.Table
    """With a `_partition` column."""
    inputs: Mapping[str, str]
    """Partition → digest of everything upstream; also the list of the partitions, in order."""
    read: Mapping[str, int] = field(default_factory=dict)
    """Upstream declaration → the table version that was read."""
    quality: Mapping[str, PartitionQuality] = field(default_factory=dict)
    """Partition → its scores, of a group that has them."""
    manifests: Mapping[str, Sequence[Delivered]] = field(default_factory=dict)
    """Partition → the files that its rows came from."""


@dataclass(frozen=True, kw_only=True)
class Materialized:
    """What became of the partitions."""

    findings: Sequence[Finding]
    snapshot: Snapshot | None
    """None when a blocking check kept them out."""
    statistics: Mapping[str, PartitionStatistics] = field(default_factory=dict)
    """Partition → what was measured of its rows."""

    @property
    def stopped(self) -> list[Finding]:
        """The findings that kept partitions out."""
        return [finding for finding in self.findings if finding.stops]


def publish(
    noun: Noun,
    staged: Staged,
    expected: Expectation,
    *,
    work: Work,
    stamp: Stamp,
    more: Sequence[Finding] = (),
) -> Materialized:
    """Audit, then commit all partitions at once or none; `more` are findings of checks that this kind of noun has."""
    tables, keys = work.platform.tables, list(staged.inputs)
    known = tables.snapshot(work.table(noun))
    earlier = [key for key in sorted(known.partitions if known else ()) if key < keys[0] and key != WHOLE]
    before = {key: known.partitions[key].rows for key in earlier[-HISTORY:]} if known else {}
    findings = audit(staged.rows, expected, partitions=keys, before=before, compute=work.platform.compute)
    findings += more
    if any(finding.check == SCHEMA and finding.stops for finding in findings):
        return Materialized(findings=findings, snapshot=None)
    last = {key: span[1] for key, span in expected.span.items() if span[1].year < MAXYEAR}
    held = Validation(noun=noun, work=work, key=expected.key, earlier=of_table(known, work), last=last)
    measured, declared = held.run(staged.rows, keys)
    findings += declared
    measured = {key: replace(one, quality=staged.quality.get(key)) for key, one in measured.items()}
    if any(finding.stops for finding in findings):
        return Materialized(findings=findings, snapshot=None)
    parts = split(staged.rows, keys)
    contents = {
        key: Content(
            rows=parts[key],
            inputs=staged.inputs[key],
            read=staged.read,
            statistics=measured[key],
            manifest=staged.manifests.get(key, ()),
        )
        for key in keys
    }
    snapshot = commit(work.table(noun), contents, stamp, work=work)
    return Materialized(findings=findings, snapshot=snapshot, statistics=measured)


def split(rows: pa.Table, keys: Sequence[str]) -> dict[str, pa.Table]:
    """The rows of each partition, without the `_partition` column; `rows` are sorted by it."""
    bare = rows.drop_columns([PARTITION])
    found = runs(rows[PARTITION])
    parts = {key: bare.slice(start, count) for key, start, count in found}
    if len(parts) < len(found):
        raise ValueError("rows of a partition lie apart")
    return {key: parts.get(key, bare.slice(0, 0)) for key in keys}


def chunks(keys: Sequence[str], lookback_days: int = 0) -> list[Sequence[str]]:
    """The keys, oldest first, in runs that are computed together: so long that looking back costs at most as much."""
    keys = sorted(set(keys))
    size = max(CHUNK_DAYS, lookback_days)
    return [keys[start : start + size] for start in range(0, len(keys), size)]


def versions(tables: Mapping[str, Snapshot]) -> dict[str, int]:
    """Declaration → the version that is read of its table."""
    return {name: snapshot.version for name, snapshot in tables.items()}


def ends(keys: Sequence[str], cadence: Cadence) -> dict[str, datetime]:
    """Partition → the moment at which it is over."""
    return {key: moment(cadence.day(key) + timedelta(days=cadence.days)) for key in keys}
