"""What there is of a declaration: rows, partitions, versions, freshness, scores. Commits and manifests say it all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine import backtest as backtests
from platform_ml.engine import card_artifact as cards
from platform_ml.engine import dataset_checks, feature_selection
from platform_ml.engine import evaluation as evaluations
from platform_ml.engine import tuned_model as models
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.staleness import is_due
from platform_ml.spec.backtest import Backtest
from platform_ml.spec.evaluation import Evaluation, EvaluationResult
from platform_ml.spec.feature_selection import FeatureSelection
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.registration import Registration
from platform_ml.spec.training_dataset import SPLITS, TrainingDataset
from platform_ml.spec.tuned_model import TunedModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.engine.catalog_columns import Listed
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact, Snapshot
    from platform_ml.engine.upstream import Table
    from platform_ml.spec.project import Project
    from platform_ml.spec.statistics import PartitionStatistics

LATEST = 30
"""Partitions whose scores are shown."""
VERSIONS = 8
"""Published versions that are shown."""
SHORT = 8
"""Characters of a digest that are shown."""
CARD = "card.html"


@dataclass(frozen=True, kw_only=True)
class Version:
    """One published dataset, model or card."""

    digest: str
    cutoff: str
    made: str
    """What is in it, in words."""
    current: bool
    """Whether it was made by today's declaration."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was materialized."""

    rows: int | None
    """None: it has no rows, like a model."""
    partitions: int
    """Of a dataset, model or card: its published versions."""
    first: str
    last: str
    size: int | None
    """Bytes of the files."""
    changed: str
    """When the newest of it was made, ISO 8601; empty when that is not recorded."""
    others: int
    """Partitions that came from another declaration than today's."""
    other_versions: tuple[str, ...]
    """The beginnings of those fingerprints, of the newest partitions first."""
    place: str
    """The folder, or the file to look at."""
    versions: tuple[Version, ...] = ()
    """Newest first; of what is published, not of tables."""
    refused: str = ""
    """Why the newest version may not be registered; empty when it may, or is no model with gates."""

    @property
    def parts(self) -> str:
        """What its parts are called."""
        return f"{'version' if self.versions else 'partition'}{'s' if self.partitions != 1 else ''}"


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """The partitions that are there against those that should be by now."""

    latest: str
    """The latest partition that is there; empty without any."""
    expected: str
    """The latest one that should be."""
    due: int
    """How many should be there."""
    missing: int
    """How many of them are not."""
    behind: int
    """How many of the missing ones come after the latest one."""


@dataclass(frozen=True, kw_only=True)
class QualityOverTime:
    """The scores of the latest partition, and of those before it, oldest first."""

    partition: str
    score: float
    ready_share: float
    ready: bool
    missing_share: float
    outlier_share: float
    scores: tuple[tuple[str, float, float], ...]
    """(partition, score, share of rows to learn from)."""


@dataclass(frozen=True, kw_only=True)
class State:
    """Everything that is known of the data of one declaration."""

    made: Made | None = None
    freshness: Freshness | None = None
    quality: QualityOverTime | None = None
    statistics: PartitionStatistics | None = None
    """Of the latest partition."""


def state(noun: Listed, declared: str, project: Project, work: Work) -> State:
    """What is there now, compared with the fingerprint of today's declaration."""
    match noun:
        case TrainingDataset():
            return State(made=_published(dataset_checks.KIND, noun, declared, work, _of_dataset))
        case FeatureSelection():
            return State(made=_published(feature_selection.KIND, noun, declared, work, _of_selection))
        case TunedModel():
            return State(made=_published(models.KIND, noun, declared, work, _of_model(noun, project, work)))
        case Registration():
            return State(made=_published(cards.KIND, noun.card, declared, work, _of_card, CARD))
        case Backtest():
            return State(made=_published(backtests.KIND, noun, declared, work, _of_backtest, backtests.PAGE))
        case _:
            return _table(noun, declared, work)


def _table(noun: Table, declared: str, work: Work) -> State:
    snapshot = work.platform.tables.snapshot(work.table(noun))
    there = snapshot.partitions if snapshot else {}
    freshness = _freshness(noun, sorted(there))
    if snapshot is None or not there:
        return State(freshness=freshness)
    kept = work.platform.tables.statistics(snapshot, list(there)[-LATEST:])
    return State(
        made=_made(snapshot, declared),
        freshness=freshness,
        quality=_quality(kept),
        statistics=kept.get(list(there)[-1]),
    )


def _made(snapshot: Snapshot, declared: str) -> Made:
    states = list(snapshot.partitions.values())
    others = [one.fingerprint for one in reversed(states) if one.fingerprint != declared]
    keys = sorted(snapshot.partitions)
    return Made(
        rows=sum(one.rows for one in states),
        partitions=len(states),
        first=keys[0],
        last=keys[-1],
        size=sum(file.size for one in states for file in one.files),
        changed=max(one.created for one in states).isoformat(timespec="seconds"),
        others=len(others),
        other_versions=tuple(dict.fromkeys(other[:SHORT] for other in others))[:VERSIONS],
        place=str(snapshot.folder),
    )


def _freshness(noun: Table, there: Sequence[str]) -> Freshness | None:
    cadence = noun.label.cadence if isinstance(noun, FeatureView) else noun.cadence
    if cadence is None:
        return None
    keys = cadence.keys()
    while keys and not is_due(noun, keys[-1]):  # outcomes become known in the order of their moments
        keys.pop()
    known, latest = set(there), there[-1] if there else ""
    missing = [key for key in keys if key not in known]
    return Freshness(
        latest=latest,
        expected=keys[-1] if keys else "",
        due=len(keys),
        missing=len(missing),
        behind=sum(key > latest for key in missing),
    )


def _quality(kept: Mapping[str, PartitionStatistics]) -> QualityOverTime | None:
    scored = {
        key: one.quality
        for key, one in sorted(kept.items())
        if one.quality and one.quality.score is not None and one.quality.ready_share is not None
    }
    if not scored:
        return None
    partition, last = list(scored.items())[-1]
    return QualityOverTime(
        partition="" if partition == WHOLE else partition,
        score=last.score or 0.0,
        ready_share=last.ready_share or 0.0,
        ready=bool(last.ready),
        missing_share=last.missing_share or 0.0,
        outlier_share=last.outlier_share or 0.0,
        scores=tuple((key, one.score or 0.0, one.ready_share or 0.0) for key, one in scored.items()),
    )


def _published(kind: str, noun: Any, declared: str, work: Work, describe: Any, file: str = "") -> Made | None:
    """The versions of all cutoffs; their files are not read."""
    found = work.platform.artifacts.versions(f"{kind}/{work.project}/{noun.name}")
    if not found:
        return None
    found.sort(key=lambda one: str(one.record["cutoff"]))  # stable: of one cutoff the newest stays last
    newest = found[-1]
    refused = describe(newest) if file == CARD and not _card(newest)["approved"] else ""
    others = [one.record["fingerprint"] for one in reversed(found) if one.record["fingerprint"] != declared]
    versions = [
        Version(
            digest=one.digest,
            cutoff=str(one.record["cutoff"]),
            made=describe(one),
            current=one.record["fingerprint"] == declared,
        )
        for one in reversed(found[-VERSIONS:])
    ]
    return Made(
        rows=_rows(newest),
        partitions=len(found),
        first=str(found[0].record["cutoff"]),
        last=str(newest.record["cutoff"]),
        size=None,
        changed=str(newest.record.get("made_at", "")),
        others=len(others),
        other_versions=tuple(dict.fromkeys(other[:SHORT] for other in others))[:VERSIONS],
        place=str(newest.folder / file),
        versions=tuple(versions),
        refused=refused,
    )


def _rows(artifact: Artifact) -> int | None:
    splits = artifact.record.get("split", {}).get("splits")
    return sum(split["rows"] for split in splits.values()) if splits else None


def _of_dataset(artifact: Artifact) -> str:
    splits = artifact.record["split"]["splits"]
    return ", ".join(f"{splits[name]['rows']:,} {name}" for name in SPLITS if name in splits) + " rows"


def _card(artifact: Artifact) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((artifact.folder / "card.json").read_text("utf-8"))
    return said


def _of_card(artifact: Artifact) -> str:
    return str(_card(artifact)["status"])


def _of_backtest(artifact: Artifact) -> str:
    return f"{len(artifact.record['evaluations'])} cutoffs"


def _of_selection(artifact: Artifact) -> str:
    kept, dropped = len(artifact.record["kept"]), len(artifact.record["dropped"])
    return f"{kept} of {kept + dropped} features kept, by {artifact.record['method']}"


def _of_model(model: TunedModel, project: Project, work: Work) -> Any:
    """What the evaluations of each model say of its test rows."""
    scores: dict[str, str] = {}
    for evaluation in project.all(Evaluation):
        if evaluation.model == model:
            for one in work.platform.artifacts.versions(f"{evaluations.KIND}/{work.project}/{evaluation.name}"):
                result = EvaluationResult.from_json(json.loads((one.folder / evaluations.FILE).read_text("utf-8")))
                values = [f"{title} {result.test(name)}" for name, title in result.titles.items()]
                if one.record["fingerprint"] == fingerprint(evaluation):
                    scores[result.model_digest] = f"on test rows: {', '.join(values)}"
    return lambda artifact: scores.get(artifact.digest, "not evaluated")
