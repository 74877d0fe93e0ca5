"""Cadences as Dagster partitions, and which upstream days a partition reads."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine.feature_view import reach_back, reaches_into
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.window import Calendar, Daily, Monthly, Weekly

if TYPE_CHECKING:
    from platform_ml.spec.feature_group import FeatureGroup
    from platform_ml.spec.feature_view import FeatureView
    from platform_ml.spec.label import Label
    from platform_ml.spec.response import Response
    from platform_ml.spec.scores import Scores
    from platform_ml.spec.training_dataset import TrainingDataset

EVERYTHING = 10_000
"""Days: further back than any source of ours reaches."""


def partitions_def(cadence: Calendar | None) -> dg.PartitionsDefinition | None:
    """The partitions of a cadence; None for what is not partitioned."""
    match cadence:
        case None:
            return None
        case Daily():
            return dg.DailyPartitionsDefinition(start_date=str(cadence.first), end_date=_end(cadence))
        case Weekly():
            return dg.WeeklyPartitionsDefinition(
                start_date=str(cadence.first),
                end_date=_end(cadence),
                day_offset=cadence.first.isoweekday() % 7,
                # A key is the moment that is predicted from: it exists from that moment on.
                end_offset=0 if cadence.last else 1,
            )
        case Monthly():
            return dg.MonthlyPartitionsDefinition(
                start_date=str(cadence.first), end_date=_end(cadence), end_offset=0 if cadence.last else 1
            )
    raise TypeError(cadence)


def scored_at(scores: Scores) -> dg.PartitionsDefinition | None:
    """The moments of scores: one of a day is there when the day begins, events when it is over."""
    cadence = scores.cadence
    if isinstance(cadence, Daily) and cadence.last is None and not isinstance(scores.label, EventLabel):
        return dg.DailyPartitionsDefinition(start_date=str(cadence.first), end_offset=1)
    return partitions_def(cadence)


def group_on_source(group: FeatureGroup) -> dg.PartitionMapping | None:
    """Windows look back from the end of the partition; events are those of the same partition."""
    if group.cadence is None or group.of_events:
        return None
    step = group.cadence.days
    return _window(start=-ceil((group.lookback_days - step) / step), end=0)


def label_on_source(label: Label | EventLabel) -> dg.PartitionMapping | None:
    """Who was seen before the moment, and the horizon after it; whole partitions, so up to one more than needed."""
    if isinstance(label, EventLabel):
        return None
    step = label.cadence.days
    before = label.seen_within_days or EVERYTHING
    return _window(start=-ceil(before / step), end=ceil(label.horizon_days / step) - 1)


def population_on_source(label: Label | EventLabel) -> dg.PartitionMapping | None:
    """Who was seen before the moment, and nothing after it."""
    if isinstance(label, EventLabel):
        return None
    return _window(start=-ceil((label.seen_within_days or EVERYTHING) / label.cadence.days), end=-1)


def label_on_response(label: EventLabel, response: Response) -> dg.PartitionMapping:
    """From the first moment of the partition to the end of the horizon of the last one; whole partitions."""
    step = timedelta(days=label.cadence.days)
    return _window(start=-ceil(label.lead / step), end=ceil(timedelta(days=response.horizon_days) / step))


def view_on_group(group: FeatureGroup, view: FeatureView) -> dg.PartitionMapping | None:
    """The last snapshot that was complete at the moment, or the events that a moment of the partition can see."""
    if group.cadence is None:
        return None
    step, reach = timedelta(days=view.label.cadence.days), reach_back(group, view)
    start = -EVERYTHING if reach is None else -ceil(reach / step)
    return _window(start=start, end=0 if reaches_into(group, view) else -1)


def dataset_on_view(dataset: TrainingDataset) -> dg.PartitionMapping:
    """The history up to the cutoff; a coarser one comes after it, and its history is counted in whole ones."""
    if dataset.cutoffs is not None:
        return _window(start=-dataset.cutoffs.covering(dataset.history_days + 1), end=-1)
    return _window(start=-(dataset.history_days // dataset.view.label.cadence.days), end=0)


def _window(*, start: int, end: int) -> dg.PartitionMapping:
    return dg.TimeWindowPartitionMapping(start_offset=start, end_offset=end, allow_nonexistent_upstream_partitions=True)


def _end(cadence: Calendar) -> str | None:
    return None if cadence.end is None else str(cadence.end)
