"""What a declaration says of itself and of its columns, for the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine.point_in_time import stored_name
from platform_ml.features.windowed import EVER
from platform_ml.spec.backtest import Backtest
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import EVENT_TIME, FeatureGroup
from platform_ml.spec.feature_selection import FeatureSelection
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.label import KNOWN_TIME, Label
from platform_ml.spec.registration import Registration
from platform_ml.spec.schema import Decimal
from platform_ml.spec.scores import Scores
from platform_ml.spec.source import Source
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.tuned_model import TunedModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.feature import Feature
    from platform_ml.spec.project import Project
    from platform_ml.spec.schema import Column, Type
    from platform_ml.spec.statistics import PartitionStatistics
    from platform_ml.spec.window import Calendar

    Tables = Source | FeatureGroup | Label | EventLabel | FeatureView | Scores
    Listed = Tables | TrainingDataset | FeatureSelection | TunedModel | Registration | Backtest

KEY, TIME, FEATURE, HELPER, LABEL, SCORE = "key", "time", "feature", "helper", "label", "quality"


@dataclass(frozen=True, kw_only=True)
class CatalogColumn:
    """One column of a table, or one feature."""

    name: str
    type: str
    role: str
    """key, time, feature, helper, label or quality; empty for a plain column."""
    meaning: str = ""
    unit: str | None = None
    lookback_days: int = 0
    """How far it looks back; 0: not at all."""
    origin: str = ""
    """In a view: the declaration that it comes from."""
    rule: str = ""
    """What its values must obey."""
    used_by: tuple[str, ...] = ()
    """The views that take it from a feature group."""
    missing: float | None = None
    """Share of nulls (and NaN, of a scored feature) in the latest partition."""
    outlying: float | None = None
    """Share of outliers in the latest partition."""

    @property
    def lookback(self) -> str:
        """As it is printed."""
        return "" if not self.lookback_days else "ever" if self.lookback_days >= EVER else f"{self.lookback_days:,} d"


def type_name(kind: Type) -> str:
    """A type as people say it.

    >>> type_name(Decimal(9, 2))
    'decimal(9, 2)'
    """
    name = type(kind).__name__.lower()
    return f"{name}({kind.precision}, {kind.scale})" if isinstance(kind, Decimal) else name


def columns(noun: Listed, project: Project, found: PartitionStatistics | None) -> tuple[CatalogColumn, ...]:
    """The columns of a table with what was measured of them; of a dataset or model, see its view."""
    match noun:
        case Source():
            return tuple(_source_column(noun, column, found) for column in noun.columns)
        case FeatureGroup():
            return _group_columns(noun, project, found)
        case Label() | EventLabel():
            return tuple(_label_column(noun, name, found) for name in noun.columns)
        case FeatureView():
            return view_columns(noun, found)
        case Scores():
            return tuple(_score_column(noun, name, found) for name in noun.columns)
        case _:
            return ()


def facts(noun: Listed) -> dict[str, str]:
    """What else a declaration says, in words."""
    match noun:
        case Source():
            said = {"Key": ", ".join(noun.key), "Format": type(noun.format).__name__}
            return said | _cadence(noun.cadence) | ({"Event time": noun.event_time} if noun.event_time else {})
        case FeatureGroup():
            said = {"About": ", ".join(noun.keys) or "everything", "Rows": _rows(noun)} | _cadence(noun.cadence)
            return said | ({"Quality": _quality(noun)} if noun.quality else {})
        case Label() | EventLabel():
            said = {"Predicts": noun.meaning, "For whom": noun.population, "When": noun.moments}
            return said | {"Looks ahead": f"{noun.horizon_days:,} days"}
        case FeatureView():
            return {"Features": f"{len(noun.feature_names):,}", "Helpers": f"{len(noun.helper_names):,}"}
        case TrainingDataset():
            cutoffs = {"Cutoffs": _cadence(noun.cutoffs)["Cadence"]} if noun.cutoffs else {}
            return cutoffs | {
                "Split": noun.rule(),
                "Reaches back": f"{noun.history_days:,} days",
                "Gap": f"{noun.gap_days:,} days",
            }
        case FeatureSelection():
            return {"Method": noun.method.name, "Keeps": noun.rule}
        case TunedModel():
            baselines = ", ".join(baseline.name for baseline in noun.baselines)
            families = ", ".join(type(one.family).__name__ for one in noun.competitors.values())
            return {"Family": families, "Tuned for": noun.metric.title, "Baselines": baselines}
        case _:
            return _of_models(noun)


def _of_models(noun: Registration | Scores | Backtest) -> dict[str, str]:
    match noun:
        case Registration():
            return {"Alias": noun.alias, "Gates": " ".join(gate.rule for gate in noun.gates)}
        case Backtest():
            which = noun.cutoffs
            some = f"the last {which}" if isinstance(which, int) else f"{which[0]} to {which[1]}"
            return {"Of": noun.of.name, "Cutoffs": some, "May worsen by": f"{noun.may_worsen:g} and chance"}
        case Scores():
            by = f"version {noun.version}" if noun.version else f"the {noun.registration.alias} of the day"
            said = {"Model": f"{noun.registration.name}, {by}", "For whom": noun.view.label.population}
            return said | _cadence(noun.cadence)


def _cadence(cadence: Calendar | None) -> dict[str, str]:
    if cadence is None:
        return {"Cadence": "none: one partition"}
    last = f"to {cadence.last}" if cadence.last else "on"
    return {"Cadence": f"{type(cadence).__name__.lower()}, {cadence.first} {last}"}


def _rows(group: FeatureGroup) -> str:
    if group.of_events:
        return "events, each from its own moment on"
    return "the entity as last known" if group.cadence is None else "a snapshot at the end of each partition"


def _quality(group: FeatureGroup) -> str:
    quality = group.quality
    if quality is None:
        return ""
    rule = quality.outliers.rule if quality.outliers else "Only missing values count."
    number = f"{len(quality.of) or len(group.features):,} of {len(group.features):,} features are scored"
    return f"{number}; ready from {quality.ready_at:g} on. {rule}"


def _missing(found: PartitionStatistics | None, name: str | None) -> float | None:
    return found.null_share(name) if name and found and found.rows and name in found.columns else None


def _source_column(source: Source, column: Column, found: PartitionStatistics | None) -> CatalogColumn:
    return CatalogColumn(
        name=column.name,
        type=type_name(column.type),
        role=KEY if column.name in source.key else TIME if column.name == source.event_time else "",
        meaning=column.description,
        unit=column.unit,
        rule=_rule(column),
        missing=_missing(found, column.name),
    )


def _rule(column: Column) -> str:
    said = ["may be null"] if column.nullable else []
    said += [f"at least {column.minimum:,g}"] if column.minimum is not None else []
    said += [f"at most {column.maximum:,g}"] if column.maximum is not None else []
    if column.allowed is not None:
        said.append(f"one of {', '.join(column.allowed)}")
    return ", ".join(said)


def _time(found: PartitionStatistics | None, name: str, meaning: str) -> CatalogColumn:
    return CatalogColumn(name=name, type="timestamp", role=TIME, meaning=meaning, missing=_missing(found, name))


def _group_columns(
    group: FeatureGroup, project: Project, found: PartitionStatistics | None
) -> tuple[CatalogColumn, ...]:
    described = {column.name: column.description for column in group.source.columns}
    keys = [
        CatalogColumn(
            name=name,
            type=type_name(group.types[name]),
            role=KEY,
            meaning=described.get(name, ""),
            missing=_missing(found, name),
        )
        for name in group.keys
    ]
    time = [_time(found, EVENT_TIME, "The moment from which the row may be used.")] if group.rules else []
    used = _used(group, project)
    own = [_feature(group, feature, FEATURE, found, used) for feature in group.features]
    scores = group.quality.features if group.quality else ()
    return (*keys, *time, *own, *(_feature(group, feature, SCORE, found, used) for feature in scores))


def _used(group: FeatureGroup, project: Project) -> dict[str, tuple[str, ...]]:
    """Feature → the views that take it."""
    taken: dict[str, list[str]] = {}
    for view in project.all(FeatureView):
        names = dict.fromkeys(name for chosen in view.selections if chosen.group == group for name in chosen.names)
        for name in names:
            taken.setdefault(name, []).append(view.name)
    return {name: tuple(views) for name, views in taken.items()}


def _feature(
    group: FeatureGroup,
    feature: Feature,
    role: str,
    found: PartitionStatistics | None,
    used: Mapping[str, tuple[str, ...]],
    **more: Any,
) -> CatalogColumn:
    scored = found.quality.features.get(feature.name) if found and found.quality else None
    return CatalogColumn(
        **{
            "name": feature.name,
            "type": type_name(feature.result(group.types)),
            "role": role,
            "meaning": feature.meaning,
            "unit": feature.measured_in(group.units),
            "lookback_days": feature.lookback_days,
            "used_by": used.get(feature.name, ()),
            "missing": scored.missing if scored else _missing(found, stored_name(group, feature)),
            "outlying": scored.outlying if scored else None,
        }
        | more
    )


def _label_column(label: Label | EventLabel, name: str, found: PartitionStatistics | None) -> CatalogColumn:
    if name == label.name:
        kind = type_name(label.type)
        return CatalogColumn(name=name, type=kind, role=LABEL, meaning=label.meaning, missing=_missing(found, name))
    if name == EVENT_TIME:
        return _time(found, name, "The moment that is predicted from.")
    if name == KNOWN_TIME:
        return _time(found, name, "When the outcome became known.")
    described = {column.name: (column.description, column.unit) for column in label.source.columns}
    if isinstance(label, EventLabel):
        described |= {column.name: (column.meaning, column.unit) for column in label.derived}
    meaning, unit = described.get(name, ("", None))
    role = KEY if name in (*label.key, label.entity) else FEATURE if name in label.attributes else HELPER
    kind = type_name(label.columns[name])
    return CatalogColumn(name=name, type=kind, role=role, meaning=meaning, unit=unit, missing=_missing(found, name))


def _score_column(scores: Scores, name: str, found: PartitionStatistics | None) -> CatalogColumn:
    meaning = scores.meanings.get(name, "")
    if name == EVENT_TIME:
        return _time(found, name, meaning)
    role = KEY if name in scores.label.columns else ""
    kind = type_name(scores.columns[name])
    return CatalogColumn(name=name, type=kind, role=role, meaning=meaning, missing=_missing(found, name))


def view_columns(view: FeatureView, found: PartitionStatistics | None) -> tuple[CatalogColumn, ...]:
    """Those of a view, each with where it comes from."""
    label = view.label
    spine = [_from_label(label, name, found) for name in label.columns]
    joined = [
        _feature(
            group,
            feature,
            HELPER if name in view.helper_names else FEATURE,
            None,
            {},
            name=name,
            origin=group.name,
            missing=_missing(found, name),
        )
        for name, (group, feature) in view.joined.items()
    ]
    return (*spine, *joined)


def _from_label(label: Label | EventLabel, name: str, found: PartitionStatistics | None) -> CatalogColumn:
    column = _label_column(label, name, found)
    return CatalogColumn(**{**vars(column), "origin": label.name})
