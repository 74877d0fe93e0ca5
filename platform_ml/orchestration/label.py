"""Labels as assets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from platform_ml.engine import labels as engine
from platform_ml.engine.schema import arrow_schema
from platform_ml.orchestration import metadata
from platform_ml.orchestration.asset import AssetSpec, asset, dep, key
from platform_ml.orchestration.feature_group import of_event, origins
from platform_ml.orchestration.partitions import label_on_response, label_on_source, partitions_def
from platform_ml.orchestration.table import table_body
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.label import KNOWN_TIME
from platform_ml.spec.response import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    import dagster as dg

    from platform_ml.spec.label import Label
    from platform_ml.spec.project import Project

    Origins = list[tuple[dg.AssetKey, str]]


def label_asset(project: Project, label: Label | EventLabel) -> dg.AssetsDefinition:
    """Compute and commit outcomes that are known by now."""
    types = label.columns
    never_null = [*label.key, label.entity, EVENT_TIME, label.name, KNOWN_TIME]
    spec = AssetSpec(
        project=project,
        noun=label,
        description=label.description,
        kinds={"label", "duckdb", "deltalake"},
        partitions=partitions_def(label.cadence),
        deps=_deps(project, label),
        checks=engine.checks(label),
        metadata={
            "dagster/column_schema": metadata.column_schema(arrow_schema(types), meanings(label), never_null),
            "dagster/column_lineage": _lineage(project, label),
            "horizon_days": label.horizon_days,
        },
    )
    return asset(spec, table_body(project, label, partial(engine.materialize, label)))


def meanings(label: Label | EventLabel) -> dict[str, str]:
    """Column → what it means, here and wherever rows of the label are carried on."""
    return {name: of_event(name, label.source, label.derived) for name in label.columns} | {
        label.name: label.meaning,
        EVENT_TIME: "The moment that is predicted from.",
        KNOWN_TIME: "When the outcome became known, at the latest at the end of its horizon.",
    }


def _deps(project: Project, label: Label | EventLabel) -> list[dg.AssetDep]:
    own = dep(project, label.source, label_on_source(label))
    if isinstance(label, EventLabel) and isinstance(label.event, Response):
        answers = dep(project, label.event.source, label_on_response(label, label.event))
        return [answers] if label.event.source == label.source else [own, answers]
    return [own]


def _lineage(project: Project, label: Label | EventLabel) -> dg.TableColumnLineage:
    time, origin = str(label.source.event_time), origins(project, label.source, label.derived)
    if isinstance(label, EventLabel):
        own = {name: origin(name) for name in label.columns if name in label.all_types}
        outcome = _outcome(project, label, origin)
        return metadata.lineage(own | {EVENT_TIME: origin(time)} | outcome)
    read = dict.fromkeys((label.entity, time, *label.outcome.columns()))
    made_of = [*dict.fromkeys(found for column in read for found in origin(column))]
    return metadata.lineage({label.entity: origin(label.entity), label.name: made_of})


def _outcome(project: Project, label: EventLabel, origin: Callable[[str], Origins]) -> dict[str, Origins]:
    """Where the label, and when it became known, come from."""
    event, time = label.event, str(label.source.event_time)
    if not isinstance(event, Response):
        return {label.name: origin(event.value), KNOWN_TIME: origin(event.known)}
    answered = [*event.on, str(event.source.event_time), *event.outcome.columns()]
    until = [event.until] if event.until else []
    asked = [column for name in [*event.on, time, *until] for column in origin(name)]
    answers = [(key(project, event.source), name) for name in dict.fromkeys(answered)]
    return {label.name: [*dict.fromkeys([*asked, *answers])], KNOWN_TIME: origin(until[0] if until else time)}
