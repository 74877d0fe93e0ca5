"""What a training dataset was made of: every table down to the sources, pinned by version."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from platform_ml.engine import feature_group as groups
from platform_ml.engine import label as labels
from platform_ml.engine.feature_view import group_keys
from platform_ml.engine.model_card import (
    CodeUsed,
    DatasetUsed,
    ModelUsed,
    Provenance,
    SearchDone,
    SplitRange,
    TableUsed,
)
from platform_ml.engine.ports import WHOLE
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.training_dataset import SPLITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.feature_view import FeatureView
    from platform_ml.spec.model_card import ModelCard
    from platform_ml.spec.project import Noun


def tables_used(view: FeatureView, keys: Sequence[str], work: Work) -> list[dict[str, Any]]:
    """The table versions and partitions behind these view partitions, upstream first."""
    used: dict[str, tuple[Noun, set[str]]] = {}

    def use(noun: Noun, partitions: Sequence[str]) -> None:
        used.setdefault(noun.name, (noun, set()))[1].update(partitions)

    for key in keys:
        use(view.label.source, labels.source_keys(view.label, key))
    for group in view.groups:
        for partition in sorted({found for key in keys for found in group_keys(group, view, key)}):
            use(group.source, groups.source_keys(group, partition))
            use(group, [partition])
        for lookup in group.lookups:
            use(lookup.source, [WHOLE])
    use(view.label, keys)
    use(view, keys)
    return [_pinned(noun, sorted(partitions), work) for noun, partitions in used.values()]


def _pinned(noun: Noun, keys: list[str], work: Work) -> dict[str, Any]:
    snapshot = work.read(noun, keys)
    states = [snapshot.partitions[key] for key in keys]
    return asdict(
        TableUsed(
            asset=work.table(noun),
            table=snapshot.table,
            version=snapshot.version,
            partitions=tuple(keys),
            rows=sum(state.rows for state in states),
            content=digest([state.content for state in states]),
        )
    )


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
            lookback_days={
                name: s.group.feature(name).lookback_days for s in view.feature_selections for name in s.names
            },
        ),
        model=ModelUsed(
            digest=model.digest,
            files=made["files"],
            params=made["params"],
            search=SearchDone(**made["search"]),
            registered_as=registered_as,
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
