"""Declared checks: all aggregates of a table in the pass that measures it, each query by itself, then the verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from platform_ml.engine.audit import Check, Finding
from platform_ml.engine.ports import PARTITION, WHOLE, Files
from platform_ml.engine.statistics import measure
from platform_ml.spec.check import Judgement, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Relation, Snapshot
    from platform_ml.spec.check import DataCheck
    from platform_ml.spec.project import Noun
    from platform_ml.spec.statistics import PartitionStatistics

    Earlier = Callable[[str, int], Mapping[str, PartitionStatistics]]
    """A partition and a number → the statistics of at most so many partitions before it, the newest ones."""


def declared(noun: Noun) -> tuple[DataCheck, ...]:
    """The checks that a declaration has beside those of every table."""
    return getattr(noun, "checks", ())


def reported(noun: Noun) -> tuple[Check, ...]:
    """The declared checks as they are shown."""
    return tuple(_check(one) for one in declared(noun))


def _check(one: DataCheck) -> Check:
    return Check(name=one.name, blocking=one.blocking, description=one.rule)


@dataclass(frozen=True, kw_only=True)
class Validation:
    """The declared checks of one table, at work on staged rows."""

    noun: Noun
    work: Work
    key: Sequence[str]
    """The columns that tell its rows apart."""
    earlier: Earlier
    """What is known of the partitions before."""
    last: Mapping[str, datetime] = field(default_factory=dict)
    """Partition → the last moment that its rows may have."""
    splits: Mapping[str, Mapping[str, PartitionStatistics]] = field(default_factory=dict)
    """Of a training dataset: cutoff → split → statistics of its rows."""

    def run(self, rows: pa.Table, keys: Sequence[str]) -> tuple[dict[str, PartitionStatistics], list[Finding]]:
        """The statistics of each partition, and what the declared checks find in it."""
        checks, compute = declared(self.noun), self.work.platform.compute
        more = {f"{n} {name}": sql for n, one in enumerate(checks) for name, sql in one.aggregates().items()}
        statistics, numbers = measure(rows, keys, compute=compute, more=more)
        reach = max((one.looks_back for one in checks), default=0)
        history = {**(self.earlier(min(keys), reach) if reach else {}), **statistics}
        findings = []
        for n, one in enumerate(checks):
            missing, queried = self._query(one, rows)
            inspected = self._inspect(one, rows)
            for key in keys:
                own = {name: numbers[key][f"{n} {name}"] for name in one.aggregates()}
                own |= queried.get(key, {}) | inspected.get(key, {})
                seen = Seen(
                    partition=key,
                    numbers=own,
                    statistics=statistics[key],
                    earlier=_before(key, history, one.looks_back),
                    last=self.last.get(key),
                    splits=self.splits.get(key, {}),
                )
                said = Judgement(passed=False, reason=missing) if missing else one.judge(seen)
                findings.append(
                    Finding(
                        check=_check(one), partition=key, passed=said.passed, reason=said.reason, numbers=said.numbers
                    )
                )
        return statistics, findings

    def _inspect(self, one: DataCheck, rows: pa.Table) -> dict[str, dict[str, Any]]:
        """Partition → what the check finds by itself in its rows; those of one partition lie together."""
        if not one.reads_rows:
            return {}
        bare, start = rows.drop_columns([PARTITION]), 0
        found: dict[str, dict[str, Any]] = {}
        for part in rows[PARTITION].value_counts().to_pylist():
            found[part["values"]] = dict(one.inspect(bare.slice(start, part["counts"]), self.key))
            start += part["counts"]
        return found

    def _query(self, one: DataCheck, rows: pa.Table) -> tuple[str, dict[str, dict[str, Any]]]:
        """What keeps the check from being made, and partition → numbers."""
        sql = one.query()
        if sql is None:
            return "", {}
        inputs: dict[str, Relation] = {"rows": rows}
        for source in one.reads():
            snapshot = self.work.platform.tables.snapshot(self.work.table(source))
            if snapshot is None:
                return self.work.missing(source, []), {}
            inputs[source.name] = Files(paths=snapshot.paths(), schema=snapshot.schema)
        found = self.work.platform.compute.query(sql, inputs).table().to_pylist()
        return "", {row.pop(PARTITION): row for row in found}


def of_table(known: Snapshot | None, work: Work) -> Earlier:
    """What a table's commits know of its partitions."""

    def earlier(key: str, most: int) -> dict[str, PartitionStatistics]:
        if known is None:
            return {}
        before = [other for other in sorted(known.partitions) if other < key and other != WHOLE]
        return work.platform.tables.statistics(known, before[-most:])

    return earlier


def _before(key: str, history: Mapping[str, PartitionStatistics], most: int) -> dict[str, PartitionStatistics]:
    """The newest partitions before this one, also those of the same run."""
    earlier = [other for other in sorted(history) if other < key and other != WHOLE] if most else []
    return {other: history[other] for other in earlier[-most:]}
