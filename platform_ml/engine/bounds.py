"""Columns that are taken over from a source as they are: what is declared of them there holds in every table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.features.field import Field
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.sql import identifier, literal
from platform_ml.spec.training_dataset import TrainingDataset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from platform_ml.spec.event_label import EventLabel
    from platform_ml.spec.label import Label
    from platform_ml.spec.schema import Column


def bounds(noun: FeatureGroup | Label | EventLabel | FeatureView | TrainingDataset) -> dict[str, Column]:
    """Column of the table → the source's column, of those that have a range or allowed values."""
    match noun:
        case TrainingDataset():
            return bounds(noun.view)
        case FeatureView():
            groups = {group.name: bounds(group) for group in noun.groups}
            joined = {name: groups[group.name].get(feature.name) for name, (group, feature) in noun.joined.items()}
            return bounds(noun.label) | {name: column for name, column in joined.items() if column is not None}
        case FeatureGroup():
            known = _bounded([*noun.source.columns, *(c for one in noun.lookups for c in one.source.columns)])
            names = {name: name for name in noun.keys}
            names |= {feature.name: feature.of for feature in noun.features if isinstance(feature, Field)}
            return {name: known[of] for name, of in names.items() if of in known}
    known = _bounded(noun.source.columns)
    own = {*noun.key, noun.entity, *noun.attributes, *noun.carried}
    return {name: known[name] for name in noun.columns if name in own and name in known}


def _bounded(columns: Iterable[Column]) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for one in columns:
        if one.minimum is not None or one.maximum is not None or one.allowed is not None:
            found.setdefault(one.name, one)
    return found


def outside_sql(columns: Mapping[str, Column]) -> str:
    """An aggregate: how many values lie outside; nulls do not, also where all are (of those DuckDB counts null)."""
    rules = [
        f"coalesce(count_if({rule}), 0)"
        for name, column in columns.items()
        for rule in _rules(identifier(name), column)
    ]
    return " + ".join(rules) or "0"


def _rules(x: str, column: Column) -> Iterable[str]:
    if column.minimum is not None:
        yield f"{x} < {column.minimum!r}"
    if column.maximum is not None:
        yield f"{x} > {column.maximum!r}"
    if column.allowed is not None:
        yield f"{x} NOT IN ({', '.join(map(literal, column.allowed))})"
