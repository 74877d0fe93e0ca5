"""A training dataset computed again from the pinned versions of its sources, beside the real tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from platform_ml.engine import labels
from platform_ml.engine.feature_group import materialize_feature_group
from platform_ml.engine.feature_view import materialize_feature_view
from platform_ml.engine.platform import Work
from platform_ml.engine.ports import CREATED, PARTITION, SEQUENCE, Files, Stamp
from platform_ml.engine.recut import Difference, Level, damage, describe, same_rows
from platform_ml.engine.row_diff import row_changes
from platform_ml.engine.upstream import Table
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import EVENT_TIME, FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.fingerprint import digest, fingerprint
from platform_ml.spec.label import Label
from platform_ml.spec.project import upstream
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from platform_ml.engine.ports import Content, PartitionState, Relation, Snapshot, Tables
    from platform_ml.engine.reference import Reference
    from platform_ml.engine.table import Materialized
    from platform_ml.spec.statistics import PartitionStatistics

At = tuple[str, int]
"""Table and version."""


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """The tables that one computation sees: what it reads, at the pinned versions; what it writes, on its own."""

    reads: Mapping[str, Snapshot]
    store: Tables

    def commit(self, table: str, partitions: Mapping[str, Content], stamp: Stamp) -> Snapshot:
        """Into the store, never into the real tables."""
        return self.store.commit(table, partitions, stamp)

    def snapshot(self, table: str, version: int | None = None) -> Snapshot | None:
        """The pinned version, whichever is asked for."""
        return self.reads[table] if table in self.reads else self.store.snapshot(table, version)

    def verify(self, snapshot: Snapshot, keys: Iterable[str] | None = None) -> None:
        """As every store does."""
        self.store.verify(snapshot, keys)

    def statistics(self, snapshot: Snapshot, keys: Iterable[str] | None = None) -> dict[str, PartitionStatistics]:
        """As every store does."""
        return self.store.statistics(snapshot, keys)


@dataclass
class Rebuild:
    """The tables behind one manifest, computed again one after the other, upstream first."""

    reference: Reference
    work: Work
    scratch: Callable[[str], Tables]
    """An empty store of tables, by name."""
    rebuilt: dict[At, Snapshot] = field(default_factory=dict)
    wrong: list[Difference] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    """Declarations that are not those that made the pinned partitions, for which a difference was found."""
    counts: dict[str, int] = field(default_factory=lambda: {"pinned": 0, "computed": 0, "equal": 0})

    def run(self) -> tuple[Level, list[str]]:
        """The level, and declarations that partitions were made from and that are others now."""
        record = self.reference.artifact.record
        nouns = _tables(self.reference.dataset.view, self.work)
        for number, entry in enumerate(record["tables"]):
            noun = nouns.get(entry["table"])
            if noun is None:
                self._differs(entry, "was used, and today's declaration does without it")
            elif (pinned := self._pinned(entry)) is None:
                continue
            elif isinstance(noun, Source):
                self._source(entry, pinned)
            else:
                self._derived(noun, entry, pinned, self.scratch(str(number)))
        view = self.rebuilt.get((record["view"]["table"], record["view"]["version"]))
        if view is not None:
            self.wrong += same_rows(self.reference, view, work=self.work)
        elif not self.wrong:
            self.wrong.append(Difference(table=record["view"]["table"], reason="the manifest does not say its tables"))
        checked = (
            f"{self.counts['pinned']} source partitions by their sha256, {self.counts['computed']} partitions computed "
            f"again of which {self.counts['equal']} have the same content hash"
        )
        return Level(name="from the sources", checked=checked, differences=self.wrong), sorted(self.changed)

    def _differs(self, entry: Mapping[str, Any], reason: str, partition: str = "") -> None:
        table = f"{entry['table']} version {entry['version']}"
        self.wrong.append(Difference(table=table, partition=partition, reason=reason))

    def _pinned(self, entry: Mapping[str, Any]) -> Snapshot | None:
        """The pinned version, if its commits still say what the manifest says."""
        try:
            snapshot = self.work.platform.tables.snapshot(entry["table"], entry["version"])
        except PlatformError as error:
            self._differs(entry, str(error))
            return None
        states = [snapshot.partitions.get(key) for key in entry["partitions"]] if snapshot else []
        if not states or digest([state and state.content for state in states]) != entry["content"]:
            self._differs(entry, "the table's commits and the manifest say different things; restore it from a backup")
            return None
        return snapshot

    def _source(self, entry: Mapping[str, Any], pinned: Snapshot) -> None:
        reasons = {key: damage(self.work, pinned, key) for key in entry["partitions"]}
        for key, reason in reasons.items():
            if reason:
                self._differs(entry, reason, key)
        if not any(reasons.values()):
            self.rebuilt[entry["table"], entry["version"]] = pinned
            self.counts["pinned"] += len(reasons)

    def _derived(self, noun: Table, entry: Mapping[str, Any], pinned: Snapshot, store: Tables) -> None:
        """Partitions that read the same upstream versions are computed together, as they were the first time."""
        batches: dict[tuple[tuple[str, int], ...], list[str]] = {}
        for key in entry["partitions"]:
            batches.setdefault(tuple(sorted(pinned.partitions[key].read.items())), []).append(key)
        for read, keys in batches.items():
            at = {f"{self.work.project}/{name}": version for name, version in read}
            if missing := [
                f"{table} version {version}" for table, version in at.items() if (table, version) not in self.rebuilt
            ]:
                self._differs(entry, f"cannot be computed again without {', '.join(missing)}", keys[0])
                return
            reads = {table: self.rebuilt[table, version] for table, version in at.items()}
            platform = replace(self.work.platform, tables=Pinned(reads=reads, store=store))
            work = Work(project=self.work.project, platform=platform, say=lambda _: None)
            try:
                done = _materialize(noun, keys, work)
            except PlatformError as error:
                self._differs(entry, f"cannot be computed again: {error}", keys[0])
                return
            for stopped in [finding for result in done for finding in result.stopped]:
                self._differs(entry, f"check {stopped.check.name} keeps it out: {stopped.reason}", stopped.partition)
        if (found := store.snapshot(entry["table"])) is not None and set(found.partitions) == set(entry["partitions"]):
            # When rows were committed cannot be made again: a view that asks for it reads the pinned ones.
            known = isinstance(noun, FeatureGroup) and noun.committed
            self.rebuilt[entry["table"], entry["version"]] = pinned if known else found
            self._compare(noun, entry, pinned, found)

    def _compare(self, noun: Table, entry: Mapping[str, Any], pinned: Snapshot, found: Snapshot) -> None:
        declared = fingerprint(noun)
        for key in entry["partitions"]:
            was, now = pinned.partitions[key], found.partitions[key]
            self.counts["computed"] += 1
            if was.content == now.content:
                self.counts["equal"] += 1
                continue
            if was.fingerprint != declared:
                self.changed.add(
                    f"declaration: {entry['table']} was made by fingerprint {was.fingerprint[:12]}, "
                    f"today's is {declared[:12]}"
                )
            self.wrong += self._rows(noun, entry, key, pinned, found) or [_hashes(entry, key, was, now)]

    def _rows(
        self, noun: Table, entry: Mapping[str, Any], key: str, pinned: Snapshot, found: Snapshot
    ) -> list[Difference]:
        """Rows and columns that differ; nothing where the old files are not readable any more."""
        key_columns = _key(noun)
        hidden = {PARTITION, CREATED, SEQUENCE}
        shared = [name for name in pinned.schema.names if name in found.schema.names and name not in hidden]
        keys = [name for name in (*key_columns, EVENT_TIME) if name in shared]
        if damage(self.work, pinned, key) or not key_columns or not set(key_columns) <= set(keys):
            return []
        inputs: dict[str, Relation] = {
            f"{name}_rows": Files(paths=snapshot.paths([key]), schema=snapshot.schema)
            for name, snapshot in (("before", pinned), ("after", found))
        }
        # Where both have the row, its group is the same; PARTITION says which side it is on.
        inputs |= {name: f"SELECT * FROM {name}_rows" for name in ("before", "after")}
        changes = row_changes(
            inputs,
            key=keys,
            columns=[name for name in shared if name not in keys and _same_type(pinned, found, name)],
            group=PARTITION,
            compute=self.work.platform.compute,
        )
        table = f"{entry['table']} version {entry['version']}"
        columns = [
            Difference(table=table, partition=key, column=name, reason=reason)
            for one, other, reason in ((pinned, found, "is gone"), (found, pinned, "is new"))
            for name in one.schema.names
            if name not in other.schema.names
        ]
        return columns + [
            replace(difference, split="") for one in changes for difference in describe(one, table=table, partition=key)
        ]


def _tables(view: FeatureView, work: Work) -> dict[str, Table]:
    """Everything that today's view is made of, by table."""
    found: dict[str, Table] = {}

    def visit(noun: Table) -> None:
        found[work.table(noun)] = noun
        for one in upstream(noun):
            if isinstance(one, Table):
                visit(one)

    visit(view)
    return found


def _materialize(noun: Table, keys: Sequence[str], work: Work) -> Sequence[Materialized]:
    if not isinstance(noun, FeatureView):
        # What rows are held against says nothing of what they are, and may read what no manifest pins.
        noun = replace(noun, checks=())
    stamp = Stamp(run_id="reproduce", asset=work.table(noun), fingerprint=fingerprint(noun), code_version="", token=0)
    match noun:
        case FeatureGroup():
            return materialize_feature_group(noun, keys, work=work, stamp=stamp)
        case Label() | EventLabel():
            return labels.materialize(noun, keys, work=work, stamp=stamp)
        case FeatureView():
            return materialize_feature_view(noun, keys, work=work, stamp=stamp)
    raise TypeError(noun)


def _key(noun: Table) -> tuple[str, ...]:
    """The columns that tell rows of a moment apart; none where nothing does."""
    match noun:
        case FeatureGroup():
            return () if noun.of_events else noun.keys
        case Label() | EventLabel():
            return noun.key
        case FeatureView():
            return noun.label.key
    raise TypeError(noun)


def _same_type(one: Snapshot, other: Snapshot, name: str) -> bool:
    return bool(one.schema.field(name).type == other.schema.field(name).type)


def _hashes(entry: Mapping[str, Any], key: str, was: PartitionState, now: PartitionState) -> Difference:
    return Difference(
        table=f"{entry['table']} version {entry['version']}",
        partition=key,
        reason=f"content hash {now.content[:12]}…, was {was.content[:12]}…",
    )
