"""What the platform's commits say about when rows were the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.history import AsOf, Committed, ValidTime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from platform_ml.engine.ports import PartitionState, Snapshot
    from platform_ml.spec.feature_group import FeatureGroup
    from platform_ml.spec.feature_view import FeatureView


@dataclass(frozen=True, kw_only=True)
class Life:
    """The rows of one commit of a partition, and in which time they were the truth: [start, end)."""

    key: str
    state: PartitionState
    start: datetime | None
    """None: from their event time on."""
    end: datetime | None
    """None: nobody who looks sees an end."""


@dataclass(frozen=True, kw_only=True)
class Lives:
    """The commits of a table whose rows a join reads."""

    snapshot: Snapshot
    lives: Sequence[Life]
    committed: bool
    """Whether it matters when they were the truth."""

    @property
    def paths(self) -> list[str]:
        """Their files, absolute."""
        return [str(self.snapshot.folder / file.path) for life in self.lives for file in life.state.files]

    @property
    def rows(self) -> int:
        """Rows in all."""
        return sum(life.state.rows for life in self.lives)


def by_commit(group: FeatureGroup, view: FeatureView) -> bool:
    """Whether the platform's commits say what was known when."""
    return group.committed and not isinstance(view.knowledge, ValidTime)


def lives(group: FeatureGroup, view: FeatureView, snapshot: Snapshot, key: str, until: datetime) -> list[Life]:
    """What a partition was, oldest first, as far as moments up to `until` can know of it.

    What came later changes nothing for them, so it is not even looked at.
    """
    if not by_commit(group, view):
        return [Life(key=key, state=snapshot.partitions[key], start=None, end=None)]
    latest = view.knowledge.moment if isinstance(view.knowledge, AsOf) else until
    # A compaction writes the same rows again: they keep the time at which they became known.
    states = list({state.created: state for state in snapshot.states(key)}.values())
    starts = [None if _loaded(group, key) else states[0].created, *(state.created for state in states[1:])]
    ends = [*starts[1:], None]
    return [
        Life(key=key, state=state, start=start, end=end if end and end <= latest else None)
        for state, start, end in zip(states, starts, ends, strict=True)
        if start is None or start <= latest
    ]


def _loaded(group: FeatureGroup, key: str) -> bool:
    """Whether the first rows of a partition were loaded as history, which was known in its day."""
    known = group.rules.known if group.rules else None
    return isinstance(known, Committed) and group.cadence is not None and group.cadence.day(key) < known.since
