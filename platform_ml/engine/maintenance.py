"""Housekeeping of a project's tables: what datasets pin, and what today's tables were made of, stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from platform_ml.engine.dataset_checks import KIND
from platform_ml.engine.provenance import behind
from platform_ml.engine.quarantine import rejected_table
from platform_ml.engine.upstream import Table
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifacts, Compacted, Upkeep, Vacuumed
    from platform_ml.spec.project import Project

KEEP_DAYS = 7
"""Days for which a version stays that was replaced: longer than any run that may still read it."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What was done to one table."""

    table: str
    swept: Sequence[str]
    compacted: Compacted
    vacuumed: Vacuumed


class PinnedVersions:
    """Table → version → partitions that must stay readable; None: all of them."""

    def __init__(self) -> None:
        self.of: dict[str, dict[int, set[str] | None]] = {}

    def add(self, table: str, version: int, keys: Iterable[str] | None) -> None:
        """Keep these partitions (None: all) of a version."""
        versions = self.of.setdefault(table, {})
        known = versions.get(version, set())
        versions[version] = None if keys is None or known is None else {*known, *keys}


def maintain(
    project: Project, *, work: Work, upkeep: Upkeep, keep_days: int = KEEP_DAYS, dry_run: bool = False
) -> Iterator[Kept]:
    """Sweep, compact and vacuum every table of a project, one after the other.

    Pins are collected first: a record of a dataset that cannot be read stops everything before anything is removed.
    """
    pinned = pins(project, work)
    for table in tables(project, work):
        swept = upkeep.sweep(table, dry_run=dry_run)
        compacted = upkeep.compact(table, dry_run=dry_run)
        keep = timedelta(days=keep_days)
        vacuumed = upkeep.vacuum(table, pinned.of.get(table, {}), keep=keep, dry_run=dry_run)
        yield Kept(table=table, swept=swept, compacted=compacted, vacuumed=vacuumed)


def tables(project: Project, work: Work) -> list[str]:
    """Every table of a project, upstream first, those of rejected rows included."""
    found = [work.table(noun) for noun in project.nouns if isinstance(noun, Table)]
    return found + [rejected_table(source, work) for source in project.all(Source)]


def pins(project: Project, work: Work) -> PinnedVersions:
    """What every dataset pins, and what the newest versions were made of: the next dataset will pin that."""
    pinned = PinnedVersions()
    _add_datasets(pinned, work.platform.artifacts)
    for noun in project.nouns:
        snapshot = work.platform.tables.snapshot(work.table(noun)) if isinstance(noun, Table) else None
        if snapshot is None or not isinstance(noun, Table):
            continue
        if isinstance(noun, FeatureGroup) and noun.committed:
            # What was known when is read from everything that its partitions ever were.
            for version in {number for numbers in snapshot.commits.values() for number in numbers}:
                pinned.add(work.table(noun), version, None)
        try:
            for one, version, keys in behind(noun, snapshot.version, snapshot.partitions, work):
                pinned.add(work.table(one), version, keys)
        except (KeyError, PlatformError):
            # Made by another declaration than today's, so which partitions it read is not known: all are kept.
            _add_all_behind(pinned, snapshot.table, snapshot.version, work)
    return pinned


def _add_datasets(pinned: PinnedVersions, artifacts: Artifacts) -> None:
    for artifact in artifacts.versions(KIND):
        pinned.add(artifact.record["view"]["table"], artifact.record["view"]["version"], None)
        for used in artifact.record["tables"]:
            pinned.add(used["table"], used["version"], None)


def _add_all_behind(pinned: PinnedVersions, table: str, version: int, work: Work) -> None:
    todo, seen = [(table, version)], set()
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        pinned.add(*at, None)
        snapshot = work.platform.tables.snapshot(*at)
        states = snapshot.partitions.values() if snapshot else ()
        todo += [(f"{work.project}/{name}", read) for state in states for name, read in state.read.items()]
