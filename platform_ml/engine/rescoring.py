"""Scores made again from what they were made of: the pinned versions of the tables, and the model of that day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine import serving
from platform_ml.engine.content import content_hash
from platform_ml.engine.scores import record_of, scored, seen_by_model
from platform_ml.engine.skew import Compared, compare
from platform_ml.spec.errors import MissingInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Snapshot
    from platform_ml.spec.scores import Scores


@dataclass(frozen=True, kw_only=True)
class Rescored:
    """What came of it."""

    record: Mapping[str, Any]
    """How the scores were made the first time."""
    differences: Sequence[str]
    """In sentences; none: every byte is the same."""
    skew: Compared | None
    """Those features beside the training view's of today; None while it has no rows of the moment."""


def rescore(scores: Scores, key: str, *, work: Work, version: int | None = None) -> Rescored:
    """Make the scores of a partition again, of the newest or an earlier version of the table, and compare.

    Raises:
        MissingInputError: there are no such scores, or the model or a version of a table is gone.
        StoreError: a file of the table or of the model was changed.
    """
    record = record_of(scores, key, work=work, version=version).record
    tables = work.platform.tables
    stored = tables.snapshot(work.table(scores), version)
    if stored is None:
        raise MissingInputError(work.missing(scores, [key]))
    tables.verify(stored, [key])
    read = {name: _pinned(name, used["version"], work) for name, used in record["tables"].items()}
    served = serving.load(scores.registration, work=work, version=int(record["model"]["version"]))
    seen = seen_by_model(scores, [key], read, work=work)
    made = scored(scores, served, seen, [key])[key]
    found = {
        "the model is": (record["model"]["model"], served.digest),
        "the features are": (record["features_content"], content_hash(made.features)),
        "the scores are": (record["content"], content_hash(made.rows)),
        "the stored scores are": (record["content"], stored.partitions[key].content),
    }
    return Rescored(
        record=record,
        differences=[f"{what} {now[:12]} now, not {then[:12]}" for what, (then, now) in found.items() if then != now],
        skew=compare(scores.model.dataset.view, key, read, seen.rows, work=work),
    )


def _pinned(name: str, version: int, work: Work) -> Snapshot:
    snapshot = work.platform.tables.snapshot(f"{work.project}/{name}", version)
    if snapshot is None:
        raise MissingInputError(f"{work.project}/{name} is gone, from which these scores were made.")
    return snapshot
