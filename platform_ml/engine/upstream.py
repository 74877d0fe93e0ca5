"""What a partition of a table is made of, one step upstream."""

from __future__ import annotations

from platform_ml.engine import feature_group as groups
from platform_ml.engine import feature_view as views
from platform_ml.engine import labels
from platform_ml.engine.ports import WHOLE
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.label import Label
from platform_ml.spec.scores import Scores
from platform_ml.spec.source import Source

Table = Source | FeatureGroup | Label | EventLabel | FeatureView | Scores


def upstream(noun: Table, key: str) -> list[tuple[Table, list[str]]]:
    """The tables that a partition is computed from, each with the partitions that are read of it."""
    match noun:
        case Source():
            return []
        case FeatureGroup():
            lookups: list[tuple[Table, list[str]]] = [(lookup.source, [WHOLE]) for lookup in noun.lookups]
            return [(noun.source, groups.source_keys(noun, key)), *lookups]
        case Label() | EventLabel():
            return list(labels.reads(noun, key))
        case FeatureView():
            joined: list[tuple[Table, list[str]]] = [(g, views.group_keys(g, noun, key)) for g in noun.groups]
            return [(noun.label, [key]), *joined]
        case Scores():
            view = noun.view
            seen: list[tuple[Table, list[str]]] = [(g, views.group_keys(g, view, key)) for g in view.groups]
            return [(noun.source, labels.population_keys(view.label, key)), *seen]
