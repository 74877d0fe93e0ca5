"""What a training dataset was made of: every table down to the sources, pinned by version."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from platform_ml.engine.knowledge import by_commit, lives
from platform_ml.engine.labels import moments
from platform_ml.engine.model_card import (
    CodeUsed,
    DatasetUsed,
    ModelUsed,
    Provenance,
    SearchDone,
    SplitRange,
    TableUsed,
)
from platform_ml.engine.upstream import upstream
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.history import AsOf
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG, Reason
from platform_ml.spec.training_dataset import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from platform_ml.engine.lineage import Sources
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact, PartitionState, Snapshot
    from platform_ml.engine.upstream import Table
    from platform_ml.spec.model_card import ModelCard

LEARNED = ("family", "advice", "contest", "cross_validation", "selection", "not_used", "compute")
"""What a model's record says of how it came about, as the card has it."""


def tables_used(
    view: FeatureView, version: int, keys: Sequence[str], work: Work, *, seen: bool = False
) -> list[dict[str, Any]]:
    """The table versions behind these view partitions as they were read, upstream first, down to the sources.

    With `seen`, of groups whose commits say what was known when, every commit that a moment could see.
    """
    tables = []
    for noun, at, used in behind(view, version, keys, work, seen=seen):
        some, newest = sorted(used), _newest(noun, work)
        states = [_state(noun, newest, at, key, work) for key in some]
        pinned = TableUsed(
            asset=work.table(noun),
            table=work.table(noun),
            version=at,
            partitions=tuple(some),
            rows=sum(state.rows for state in states),
            content=digest([state.content for state in states]),
        )
        tables.append(asdict(pinned))
    return tables


def tables_seen(view: FeatureView, version: int, keys: Sequence[str], work: Work) -> list[dict[str, Any]] | None:
    """What lineage follows where it differs from `tables_used`: None where every version that was read was seen.

    A version of a group holds commits that no moment of the view could know yet, and replaced others that some did.
    """
    if not any(by_commit(group, view) for group in view.groups):
        return None
    return tables_used(view, version, keys, work, seen=True)


def behind(
    noun: Table, version: int, keys: Iterable[str], work: Work, *, seen: bool = False
) -> list[tuple[Table, int, set[str]]]:
    """These partitions and all that they were computed from: table, version, partitions; upstream first.

    With `seen`, only the commits that moments could know of, in place of the version that was read with all it holds.
    """
    used: dict[tuple[str, int], set[str]] = {}
    found: dict[tuple[str, int], Table] = {}
    newest: dict[str, Snapshot] = {}

    def visit(noun: Table, version: int, keys: set[str]) -> None:
        known = used.setdefault((noun.name, version), set())
        if noun.name not in newest:
            newest[noun.name] = _newest(noun, work)
        for key in sorted(keys - known):
            known.add(key)
            for one, wanted in upstream(noun, key):
                if not wanted:
                    continue
                at = _state(noun, newest[noun.name], version, key, work).read[one.name]
                if seen and isinstance(noun, FeatureView) and isinstance(one, FeatureGroup) and by_commit(one, noun):
                    for group_key in wanted:
                        for commit in _known(one, noun, key, group_key, at, work):
                            visit(one, commit, {group_key})
                else:
                    visit(one, at, set(wanted))
        found.setdefault((noun.name, version), noun)  # only now: what it was made of comes before it

    visit(noun, version, set(keys))
    return [(noun, at[1], used[at]) for at, noun in found.items()]


def _known(group: FeatureGroup, view: FeatureView, key: str, group_key: str, version: int, work: Work) -> list[int]:
    """The commits up to a version of a group whose rows some moment of a view partition could know."""
    newest = _newest(group, work)
    number = bisect_right(newest.commits.get(group_key, ()), version)
    if not number:
        raise MissingInputError(work.missing(group, [group_key]))
    states, commits = newest.states(group_key)[:number], newest.commits[group_key]
    then = replace(newest, partitions={group_key: states[-1]}, replaced={group_key: states[:-1]})
    first, last = moments(view.label, key)
    if isinstance(view.knowledge, AsOf):
        first = last = view.knowledge.moment
    return [
        commits[states.index(life.state)]
        for life in lives(group, view, then, group_key, last)
        if life.end is None or life.end > first
    ]


def _newest(noun: Table, work: Work) -> Snapshot:
    """The newest version knows what every partition was in each version, so that no other has to be opened."""
    snapshot = work.platform.tables.snapshot(work.table(noun))
    if snapshot is None:
        raise MissingInputError(work.missing(noun, []))
    return snapshot


def _state(noun: Table, newest: Snapshot, version: int, key: str, work: Work) -> PartitionState:
    state = newest.at(key, version)
    if state is None:
        raise MissingInputError(work.missing(noun, [key]))
    return state


def provenance(
    card: ModelCard, *, dataset: Artifact, model: Artifact, registered_as: str, files: Sequence[Sources] = ()
) -> Provenance:
    """What a card says of where its model comes from; all of it was recorded when the parts were made."""
    manifest, made, code = dataset.record, model.record, model.record["made_by"]
    view, split = card.evaluation.model.dataset.view, manifest["split"]
    return Provenance(
        tables=tuple(TableUsed(**table | {"partitions": tuple(table["partitions"])}) for table in manifest["tables"]),
        dataset=DatasetUsed(
            digest=dataset.digest,
            splits={
                name: SplitRange(rows=part["rows"], first=part["first"], last=part["last"])
                for name, part in ((name, split["splits"][name]) for name in SPLITS)
            },
            gap_days=split["gap_days"],
            rule=split["rule"],
            history_days=split["history_days"],
            windows_may_overlap=split["windows_may_overlap"],
            not_point_in_time=tuple(manifest["join"]["not_point_in_time"]),
            lookback_days={name: feature.lookback_days for name, (_, feature) in view.joined.items()},
        ),
        model=ModelUsed(
            digest=model.digest,
            files=made["files"],
            params=made["params"],
            search=SearchDone(
                **{item.name: made["search"][item.name] for item in fields(SearchDone) if item.name in made["search"]}
            ),
            **({"onnx": made["onnx"]["reason"]} if "onnx" in made else {}),
            registered_as=registered_as,
            **{name: made[name] for name in LEARNED if name in made},
            conditions={name: str(made.get("conditions", {}).get(name, "")) for name in ("device", "processor")},
        ),
        code=CodeUsed(
            git_commit=code["git_commit"],
            dirty=code["git_dirty"] == "true",
            lock_hash=code["lock_hash"],
            platform_version=code["platform_version"],
            python_version=code["python_version"],
            fingerprint=made["fingerprint"],
        ),
        dagster_run_id=code["dagster_run"],
        mlflow_run_id=made["mlflow_run"],
        created=made["made_at"],
        reason=str(code.get(REASON_TAG, Reason.MANUAL)),
        reason_detail=str(code.get(DETAIL_TAG, "")),
        sources=tuple(files),
    )
