"""Whether what comes in is spread as what a model has learned from, told by the statistics beside the commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.checks.distances import pooled
from platform_ml.engine.evidence import index_between
from platform_ml.engine.feature_view import group_keys
from platform_ml.engine.split_statistics import statistics_of
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.training_dataset import TRAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.feature_group import FeatureGroup
    from platform_ml.spec.project import Noun
    from platform_ml.spec.statistics import PartitionStatistics
    from platform_ml.spec.training_dataset import TrainingDataset

DAYS = 7
"""Of the newest partitions: what comes in now, and not the mean of all that came in since."""


def incoming_drift(dataset: TrainingDataset, made: Artifact | None, *, work: Work) -> dict[str, tuple[float, float]]:
    """Feature → population stability index from a dataset's training rows to what came in after its cutoff, and chance.

    Of a group of snapshots: from those that the training rows were joined with to its newest ones, which wait for no
    outcome. Of other features: from the training rows to the newest rows of the view. What has no newer partition, too
    few values or no statistics is left out.
    """
    if made is None:
        raise MissingInputError("the dataset of the newest model is not here any more")
    view, cutoff = dataset.view, str(made.record["cutoff"])
    learned = [key for key in made.record["view"]["partitions"] if key <= made.record["split"]["splits"][TRAIN]["last"]]
    snapshots = {group.name: group for group in view.groups if group.cadence and not group.of_events}
    sides = {name: _snapshots(group, dataset, learned, cutoff, work) for name, group in snapshots.items()}
    training = statistics_of(made).get(TRAIN)
    rows = ([training] if training else [], _newest(view, view.label.cadence.days, cutoff, work))
    found = {}
    for name in view.feature_names:
        group, feature = view.joined.get(name, (None, None))
        at_hand = group is not None and feature is not None and group.name in sides
        before, after = sides[group.name] if at_hand and group else rows
        column = feature.name if at_hand and feature else name
        if (index := index_between(pooled(column, before), pooled(column, after))) is not None:
            found[name] = index
    return found


def _snapshots(
    group: FeatureGroup, dataset: TrainingDataset, learned: Sequence[str], cutoff: str, work: Work
) -> tuple[list[PartitionStatistics], list[PartitionStatistics]]:
    """Those that training moments saw last, and the newest that began at the cutoff or later."""
    snapshot = work.platform.tables.snapshot(work.table(group))
    last = {keys[-1]: None for key in learned if (keys := group_keys(group, dataset.view, key))}
    before = work.platform.tables.statistics(snapshot, last) if snapshot else {}
    return list(before.values()), _newest(group, group.cadence.days if group.cadence else 1, cutoff, work)


def _newest(noun: Noun, step: int, cutoff: str, work: Work) -> list[PartitionStatistics]:
    """The newest partitions after a cutoff."""
    snapshot = work.platform.tables.snapshot(work.table(noun))
    if snapshot is None:
        return []
    later = sorted(key for key in snapshot.partitions if key > cutoff)
    return list(work.platform.tables.statistics(snapshot, later[-max(1, DAYS // step) :]).values())
