"""From a published dataset down to every delivered file, as recorded pins and the tables' commits tell it.

Nothing here reads rows or today's declarations, so the answer is the same after tables were vacuumed, sources were
corrected and declarations changed. Of each table one log is read, however many partitions and versions are pinned.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from platform_ml.engine.dataset_checks import KIND as DATASETS
from platform_ml.engine.tuned_model import KIND as MODELS
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.project import REJECTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from platform_ml.engine.ports import Artifact, Artifacts, PartitionState, Snapshot, Tables
    from platform_ml.engine.tracked import RegisteredVersion
    from platform_ml.spec.origin import Delivered


@dataclass(frozen=True, kw_only=True)
class Load:
    """The rows of one partition from the commit that brought them to the one that replaced them."""

    table: str
    partition: str
    version: int
    """The first table version that has them."""
    until: int | None
    """The version that replaced them; None: they are there now."""
    received: datetime
    """When they were committed, UTC."""
    replaced: datetime | None
    run_id: str
    rows: int
    rejected: int
    """Rows of the same files that were not let in."""
    content: str
    files: tuple[Delivered, ...]
    """What was delivered; empty where rows were computed, or came from no file."""
    read: Mapping[str, int]
    """Upstream declaration → the table version that was read."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a dataset read of one version of one table."""

    table: str
    version: int
    loads: tuple[Load, ...]
    """One a partition, in key order; empty where the table's commits do not know them any more."""
    reads: tuple[tuple[str, int], ...]
    """(table, version) that these partitions were computed from; none of a source."""
    rows: int
    partitions: int
    problem: str = ""
    """Why the table's commits cannot be followed further."""

    @property
    def files(self) -> int:
        """Delivered files in all."""
        return sum(len(load.files) for load in self.loads)

    @property
    def size(self) -> int:
        """Their bytes; of a database's table, its rows."""
        return sum(file.size for load in self.loads for file in load.files)


@dataclass(frozen=True)
class Logs:
    """The newest snapshot of each table, which knows what every partition was in each version."""

    tables: Tables
    _known: dict[str, Snapshot | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    _loads: dict[tuple[str, str], list[Load]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of(self, table: str) -> Snapshot | None:
        """None where the table was never written."""
        if table not in self._known:
            self._known[table] = self.tables.snapshot(table)
        return self._known[table]

    def loads(self, table: str, key: str) -> list[Load]:
        """Everything that a partition ever was, oldest first; a compaction is no new load."""
        if (table, key) not in self._loads:
            self._loads[table, key] = self._read(table, key)
        return self._loads[table, key]

    def load(self, table: str, key: str, version: int) -> Load | None:
        """What a partition was in a version."""
        found = self.loads(table, key)
        number = bisect_right(found, version, key=lambda load: load.version)
        return found[number - 1] if number else None

    def _read(self, table: str, key: str) -> list[Load]:
        snapshot = self.of(table)
        if snapshot is None or key not in snapshot.partitions:
            return []
        firsts: dict[datetime, int] = {}
        states: dict[datetime, PartitionState] = {}
        for state, version in zip(snapshot.states(key), snapshot.commits[key], strict=True):
            firsts.setdefault(state.created, version)
            states[state.created] = state
        ends = [*list(firsts.items())[1:], (None, None)]
        return [
            Load(
                table=table,
                partition=key,
                version=firsts[created],
                until=until,
                received=created,
                replaced=replaced,
                run_id=state.run_id,
                rows=state.rows,
                rejected=self._rejected(table, key, state),
                content=state.content,
                files=state.manifest,
                read=state.read,
            )
            for (created, state), (replaced, until) in zip(states.items(), ends, strict=True)
        ]

    def _rejected(self, table: str, key: str, state: PartitionState) -> int:
        """The rows in quarantine of the very delivery that these rows came from."""
        if not state.manifest:
            return 0
        aside = self.of(table + REJECTED)
        kept = aside.states(key) if aside and key in aside.partitions else []
        return next((one.rows for one in reversed(kept) if one.inputs == state.inputs), 0)


def pins(dataset: Artifact) -> Sequence[Mapping[str, Any]]:
    """What a dataset's manifest says that it was made of: table, version, partitions, content; upstream first."""
    found: Sequence[Mapping[str, Any]] = dataset.record.get("seen") or dataset.record["tables"]
    return found


def steps(dataset: Artifact, tables: Tables, *, logs: Logs | None = None) -> list[Step]:
    """Every table version that a dataset was made of, upstream first, with the files of its sources."""
    logs = logs or Logs(tables)
    return [_step(pin, logs) for pin in pins(dataset)]


def _step(pin: Mapping[str, Any], logs: Logs) -> Step:
    table, version, keys = pin["table"], pin["version"], pin["partitions"]
    found = [logs.load(table, key, version) for key in keys]
    loads = tuple(load for load in found if load is not None)
    problem = ""
    if len(loads) < len(keys) or digest([load.content for load in loads]) != pin["content"]:
        # Its partitions have these versions by number only.
        problem = "the table was removed or written anew since; restore it from a backup to see its files"
        loads = ()
    project = table.partition("/")[0]
    read = {(f"{project}/{name}", at) for load in loads for name, at in load.read.items()}
    return Step(
        table=table,
        version=version,
        loads=loads,
        reads=tuple(sorted(read)),
        rows=pin["rows"],
        partitions=len(keys),
        problem=problem,
    )


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The delivered files behind a dataset, of one source."""

    table: str
    versions: tuple[int, ...]
    partitions: int
    files: int
    size: int
    """Bytes; of a database's table, its rows."""
    first: str
    """When the first of them was received, ISO 8601."""
    last: str
    digest: str
    """Of partition, name, size and sha256 of every file."""
    problem: str = ""


def sources(found: Sequence[Step]) -> tuple[Sources, ...]:
    """Source by source, what steps lead down to; tables that were computed are left out."""
    grouped: dict[str, list[Step]] = {}
    for step in found:
        if not step.reads:
            grouped.setdefault(step.table, []).append(step)
    return tuple(_source(table, some) for table, some in grouped.items())


def _source(table: str, some: Sequence[Step]) -> Sources:
    loads = {(load.partition, load.version): load for step in some for load in step.loads}
    files = sorted(
        (key, one.name, one.size, one.sha256 or one.stamp) for (key, _), load in loads.items() for one in load.files
    )
    times = sorted(load.received for load in loads.values())
    return Sources(
        table=table,
        versions=tuple(sorted({step.version for step in some})),
        partitions=len({key for key, _ in loads}),
        files=len(files),
        size=sum(size for _, _, size, _ in files),
        first=times[0].isoformat() if times else "",
        last=times[-1].isoformat() if times else "",
        digest=digest(files),
        problem=next((step.problem for step in some if step.problem), ""),
    )


def received(found: Sequence[Step]) -> list[tuple[Load, Delivered]]:
    """Every delivered file behind some steps once, by source, partition and time, with the load that it came in."""
    loads = {(load.table, load.partition, load.version): load for step in found for load in step.loads}
    return [(load, file) for _, load in sorted(loads.items()) for file in load.files]


def listed(found: Sequence[Step]) -> list[dict[str, Any]]:
    """The same as plain JSON: source, the version that brought it, partition, name, size, sha256, when received."""
    return [
        {
            "table": load.table,
            "version": load.version,
            "partition": load.partition,
            "name": file.name,
            "size": file.size,
            "sha256": file.sha256,
            "received": load.received.isoformat(),
        }
        for load, file in received(found)
    ]


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A dataset that read some rows, and what came of it."""

    project: str
    dataset: Artifact
    models: tuple[Artifact, ...]
    """Trained on it, oldest first."""
    registered: tuple[RegisteredVersion, ...]
    """Made of these models, or of one that is not published here any more."""

    @property
    def name(self) -> str:
        """project/dataset."""
        return f"{self.project}/{self.dataset.record['dataset']}"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One load of a partition, and who read it."""

    load: Load
    by: tuple[Sighting, ...]


class Published:
    """All datasets and models that are published, whatever project declares them, and what is registered."""

    def __init__(self, artifacts: Artifacts, versions: Sequence[RegisteredVersion], logs: Logs) -> None:
        self.logs = logs
        models: dict[str, list[Artifact]] = {}
        for model in artifacts.versions(MODELS):
            models.setdefault(model.record["dataset"], []).append(model)
        self.sightings = [_sighting(one, models.get(one.digest, ()), versions) for one in artifacts.versions(DATASETS)]
        self.doubts: list[str] = []
        """What could not be followed, as sentences."""
        self._trusted: dict[tuple[str, int, str], bool] = {}

    def seen(self, loads: Sequence[Load]) -> list[Seen]:
        """Who read each of these loads."""
        return [Seen(load=load, by=tuple(one for one in self.sightings if self._read(one, load))) for load in loads]

    def _read(self, sighting: Sighting, load: Load) -> bool:
        return any(
            load.version <= pin["version"] and (load.until is None or pin["version"] < load.until)
            for pin in pins(sighting.dataset)
            if pin["table"] == load.table and load.partition in pin["partitions"] and self._holds(sighting, pin)
        )

    def _holds(self, sighting: Sighting, pin: Mapping[str, Any]) -> bool:
        """Whether the table still is the one that was read."""
        at = (pin["table"], pin["version"], pin["content"])
        if at not in self._trusted:
            problem = _step(pin, self.logs).problem
            self._trusted[at] = not problem
            if problem:
                whose = f"{sighting.name}@{sighting.dataset.digest[:12]}"
                self.doubts.append(f"{whose} read version {at[1]} of {at[0]}, but {problem}.")
        return self._trusted[at]


def _sighting(dataset: Artifact, models: Sequence[Artifact], versions: Sequence[RegisteredVersion]) -> Sighting:
    known = {model.digest for model in models}
    return Sighting(
        project=dataset.record["view"]["table"].partition("/")[0],
        dataset=dataset,
        models=tuple(models),
        registered=tuple(
            one
            for one in versions
            if one.tags.get("dataset_digest") == dataset.digest or one.tags.get("model_digest") in known
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Branch:
    """One table of a tree that leads from a view down to its sources."""

    table: str
    depth: int
    """0 is the view."""
    steps: tuple[Step, ...]
    """The versions that were read of it."""
    again: bool
    """Whether it was shown before, since several tables were computed from it."""


def tree(found: Sequence[Step]) -> list[Branch]:
    """Steps as they lead from the view, which is the last of them, down to the sources."""
    grouped: dict[str, list[Step]] = {}
    for step in found:
        grouped.setdefault(step.table, []).append(step)
    branches: list[Branch] = []

    def visit(table: str, depth: int) -> None:
        again = any(branch.table == table for branch in branches)
        branches.append(Branch(table=table, depth=depth, steps=tuple(grouped[table]), again=again))
        below = dict.fromkeys(name for step in grouped[table] for name, _ in step.reads if name in grouped)
        for name in () if again else below:
            visit(name, depth + 1)

    visit(found[-1].table, 0)
    return branches
