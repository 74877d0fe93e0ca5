"""Labels of both kinds, asked the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine import event_label, label
from platform_ml.spec.event_label import EventLabel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from platform_ml.engine.audit import Check
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot, Stamp
    from platform_ml.engine.table import Materialized
    from platform_ml.spec.label import Label
    from platform_ml.spec.source import Source


def checks(noun: Label | EventLabel) -> tuple[Check, ...]:
    """The data checks of a label."""
    return event_label.checks(noun) if isinstance(noun, EventLabel) else label.checks(noun)


def materialize(noun: Label | EventLabel, keys: Sequence[str], *, work: Work, stamp: Stamp) -> list[Materialized]:
    """Compute and commit the labels of these partitions."""
    if isinstance(noun, EventLabel):
        return event_label.materialize_event_label(noun, keys, work=work, stamp=stamp)
    return label.materialize_label(noun, keys, work=work, stamp=stamp)


def source_keys(noun: Label | EventLabel, key: str) -> list[str]:
    """The source partitions that a partition is made of; `MissingInputError` while outcomes are not known."""
    return event_label.source_keys(noun, key) if isinstance(noun, EventLabel) else label.source_keys(noun, key)


def reads(noun: Label | EventLabel, key: str) -> list[tuple[Source, list[str]]]:
    """The sources of a partition, each with the partitions that are read of it."""
    return event_label.reads(noun, key) if isinstance(noun, EventLabel) else [(noun.source, source_keys(noun, key))]


def moments(noun: Label | EventLabel, key: str) -> tuple[datetime, datetime]:
    """The first and the last moment that a partition may have."""
    return event_label.moments(noun, key) if isinstance(noun, EventLabel) else label.moments(noun, key)


def inputs(noun: Label | EventLabel, key: str, tables: Mapping[str, Snapshot]) -> str:
    """The digest of the rows that a partition is computed from."""
    return event_label.inputs(noun, key, tables) if isinstance(noun, EventLabel) else label.inputs(noun, key, tables)


def population_keys(noun: Label | EventLabel, key: str) -> list[str]:
    """The source partitions that say whom or what there is to predict; no outcome is waited for."""
    return [key] if isinstance(noun, EventLabel) else label.population_keys(noun, key)


def population_sql(noun: Label | EventLabel, keys: Sequence[str]) -> str:
    """The rows to predict, without an outcome, of these partitions of the source in `raw`."""
    return event_label.population_sql(noun) if isinstance(noun, EventLabel) else label.population_sql(noun, keys)
