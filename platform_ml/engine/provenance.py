"""What a training dataset was made of: every table down to the sources, pinned by version."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

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
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.training_dataset import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact, PartitionState, Snapshot
    from platform_ml.engine.upstream import Table
    from platform_ml.spec.feature_view import FeatureView
    from platform_ml.spec.model_card import ModelCard

LEARNED = ("family", "advice", "contest", "cross_validation", "selection", "not_used", "compute")
"""What a model's record says of how it came about, as the card has it."""


def tables_used(view: FeatureView, version: int, keys: Sequence[str], work: Work) -> list[dict[str, Any]]:
    """The table versions behind these view partitions as they were read, upstream first, down to the sources."""
    tables = []
    for noun, at, used in behind(view, version, keys, work):
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


def behind(noun: Table, version: int, keys: Iterable[str], work: Work) -> list[tuple[Table, int, set[str]]]:
    """These partitions and all that they were computed from: table, version, partitions; upstream first."""
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
                if wanted:
                    read = _state(noun, newest[noun.name], version, key, work).read
                    visit(one, read[one.name], set(wanted))
        found.setdefault((noun.name, version), noun)  # only now: what it was made of comes before it

    visit(noun, version, set(keys))
    return [(noun, at[1], used[at]) for at, noun in found.items()]


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


def provenance(card: ModelCard, *, dataset: Artifact, model: Artifact, registered_as: str) -> Provenance:
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
    )


def _search(said: Mapping[str, Any]) -> SearchDone:
    """What a card says of the search, of all that a record does."""
    return SearchDone(**{item.name: said[item.name] for item in fields(SearchDone) if item.name in said})
