"""Which partitions have to be made (again), and why: everything needed for the answer is in the tables' commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine import feature_group as groups
from platform_ml.engine import feature_view as views
from platform_ml.engine import labels, late
from platform_ml.engine.feed import states_of
from platform_ml.engine.fixes import inputs
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.upstream import Table, upstream
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.label import Label
from platform_ml.spec.scores import Scores
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot
    from platform_ml.spec.project import Project
    from platform_ml.spec.window import Cadence

NEVER = "never materialized"
DECLARED = "its declaration changed"
UPSTREAM = "upstream is stale"
CHANGED = "its inputs changed"


def stale(
    project: Project, work: Work, *, sources: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, dict[str, str]]:
    """Table noun → partition → why it is stale; what is up to date is not named.

    `sources` says it of all sources, where their deliveries have been looked at already.
    """
    found: dict[str, dict[str, str]] = {}
    tables: dict[str, Snapshot] = {}
    for noun in project.nouns:
        if isinstance(noun, Table) and not isinstance(noun, Scores):  # those of last year's champion stay what they are
            snapshot = work.platform.tables.snapshot(work.table(noun))
            if snapshot:
                tables[noun.name] = snapshot
            declared = fingerprint(noun)
            why: Mapping[str, str]
            if isinstance(noun, Source) and sources is not None:
                why = sources.get(noun.name, {})
            elif isinstance(noun, Source):
                why = _of_source(noun, declared, snapshot, work)
            else:
                why = {key: _why(noun, key, declared, tables, found) for key in partitions_of(noun)}
            found[noun.name] = {key: reason for key, reason in why.items() if reason}
    return {name: reasons for name, reasons in found.items() if reasons}


def cadence_of(noun: Table) -> Cadence | None:
    """The cadence of a table's partitions."""
    return noun.label.cadence if isinstance(noun, FeatureView) else noun.cadence


def partitions_of(noun: Table) -> list[str]:
    """The partitions that a table has by now, oldest first."""
    cadence = cadence_of(noun)
    return [WHOLE] if cadence is None else cadence.keys()


def _of_source(source: Source, declared: str, snapshot: Snapshot | None, work: Work) -> dict[str, str]:
    known = snapshot.partitions if snapshot else {}
    loaded = {key: known[key] for key in partitions_of(source) if key in known and known[key].fingerprint == declared}
    there = states_of(source, loaded, work)
    contents = late.contents(snapshot)
    current = {
        key: late.inputs(source, key, inputs(source, key, state, work), contents)
        for key, state in there.items()
        if state is not None
    }
    why = {key: "" if current.get(key) == state.inputs else CHANGED for key, state in loaded.items()}
    return {key: why.get(key, DECLARED if key in known else NEVER) for key in partitions_of(source)}


def _why(
    noun: Table,
    key: str,
    declared: str,
    tables: Mapping[str, Snapshot],
    found: Mapping[str, Mapping[str, str]],
) -> str:
    if not is_due(noun, key):
        return ""
    state = tables[noun.name].partitions.get(key) if noun.name in tables else None
    if state is None:
        return NEVER
    if state.fingerprint != declared:
        return DECLARED
    try:
        if any(read in found.get(one.name, {}) for one, keys in upstream(noun, key) for read in keys):
            return UPSTREAM
        current = inputs_now(noun, key, tables)
    except (MissingInputError, KeyError):
        return UPSTREAM
    return "" if current == state.inputs else CHANGED


def inputs_now(noun: Table, key: str, tables: Mapping[str, Snapshot]) -> str:
    """The digest of what a partition would be made of; `MissingInputError` or `KeyError` where that is not there."""
    match noun:
        case FeatureGroup():
            return groups.inputs(noun, key, tables)
        case Label() | EventLabel():
            return labels.inputs(noun, key, tables)
        case FeatureView():
            return views.inputs(noun, key, tables)
    raise TypeError(noun)


def is_due(noun: Table, key: str) -> bool:
    """Whether the outcome of a moment can be known by now."""
    label = noun.label if isinstance(noun, FeatureView) else noun
    if not isinstance(label, Label | EventLabel):
        return True
    try:
        labels.source_keys(label, key)
    except MissingInputError:
        return False
    return True
