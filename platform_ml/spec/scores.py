"""What a registered model says of everyone at a moment, long before the outcome is known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from platform_ml.spec.check import check_checks, check_share
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import JUDGED, PROSE
from platform_ml.spec.intervals import LOWER, UPPER
from platform_ml.spec.naming import check_name, check_unique
from platform_ml.spec.schema import Double, Doubles, Integer, Text, Timestamp
from platform_ml.spec.task import CLUSTERING, MULTICLASS, RANKING
from platform_ml.spec.window import check_even

if TYPE_CHECKING:
    from platform_ml.spec.check import DataCheck
    from platform_ml.spec.feature_view import FeatureView
    from platform_ml.spec.label import Label
    from platform_ml.spec.registration import Registration
    from platform_ml.spec.schema import Type
    from platform_ml.spec.source import Source
    from platform_ml.spec.task import Task
    from platform_ml.spec.tuned_model import TunedModel
    from platform_ml.spec.window import Cadence

SCORE, RANK, PREDICTED, PROBABILITIES = "score", "rank", "predicted", "probabilities"
CLUSTER = "cluster"
MODEL_VERSION, MODEL_DIGEST = "model_version", "model_digest"
MUCH = 0.25
"""Siddiqi (2006, Credit Risk Scorecards): a population stability index above it is a different population."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Batch inference: predictions of a registered model for the population of its label, whatever becomes of it.

    Features are those of the model's view, as of the moment, by the same join; no outcome is read or waited for.
    """

    name: str
    description: str = field(metadata=PROSE)
    registration: Registration
    moments: Cadence | None = None
    """When is scored: a partition key is the midnight (UTC) that is predicted from. None: those of the label.

    Of an `EventLabel` always None: every event of a partition of its source is scored.
    """
    version: int | None = None
    """Of the registry; None: the version that the registration's alias points at when scores are made."""
    max_psi: float = field(default=MUCH, metadata=JUDGED)
    """How far scores may be spread otherwise than those of the model's test rows: beyond it a warning."""
    max_unseen: float = field(default=0.01, metadata=JUDGED)
    """The share of rows that may have a category which training never saw: beyond it a warning."""
    checks: tuple[DataCheck, ...] = field(default=(), metadata=JUDGED)
    """What each partition is held against beside what all scores are."""

    def __post_init__(self) -> None:
        check_name("Scores", self.name)
        where = f"Scores {self.name!r}"
        check_even(where, self.moments)
        if self.moments is not None and isinstance(self.label, EventLabel):
            raise DeclarationError(
                f"{where}: label {self.label.name!r} is of events, each of which has its own moment, so there are no "
                "moments to choose. Drop them."
            )
        if self.version is not None and self.version < 1:
            raise DeclarationError(f"{where}: version {self.version}: the registry counts from 1. Use 1 or more.")
        if not (math.isfinite(self.max_psi) and self.max_psi > 0):
            raise DeclarationError(f"{where}: max_psi {self.max_psi} is no limit. Use a number above 0.")
        check_share(where, "max_unseen", self.max_unseen)
        check_unique(where, "column", [*self._key, EVENT_TIME, *self._said, MODEL_VERSION, MODEL_DIGEST])
        check_checks(where, self.checks, self.columns)

    @property
    def model(self) -> TunedModel:
        """What is registered."""
        return self.registration.card.evaluation.model

    @property
    def label(self) -> Label | EventLabel:
        """What is predicted: it says who is scored."""
        return self.model.dataset.view.label

    @property
    def source(self) -> Source:
        """Where the population is found."""
        return self.label.source

    @property
    def task(self) -> Task:
        """What was learned."""
        return self.label.task

    @property
    def view(self) -> FeatureView:
        """The model's view at the moments that are scored, without helpers: it joins as the trained one does."""
        view, label = self.model.dataset.view, self.label
        if self.moments is not None and not isinstance(label, EventLabel):
            label = replace(label, cadence=self.moments)
        return replace(view, label=label, helpers=(), checks=())

    @property
    def cadence(self) -> Cadence:
        """The partitions."""
        return self.moments or self.label.cadence

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell rows of a moment apart."""
        return self.label.key

    @property
    def columns(self) -> dict[str, Type]:
        """The columns of its table, in order."""
        key: dict[str, Type] = {name: self.label.columns[name] for name in self._key}
        return key | {EVENT_TIME: Timestamp()} | self._said | {MODEL_VERSION: Integer(), MODEL_DIGEST: Text()}

    @property
    def _key(self) -> list[str]:
        label = self.label
        within = [label.ranked_within] if label.ranked_within not in (None, EVENT_TIME) else []
        return list(dict.fromkeys([*label.key, label.entity, *filter(None, within)]))

    @property
    def _said(self) -> dict[str, Type]:
        """What a model says of a row."""
        if self.task is MULTICLASS:
            return {PREDICTED: Text(), SCORE: Double(), PROBABILITIES: Doubles()}
        if self.task is CLUSTERING:
            return {CLUSTER: Integer(), SCORE: Double()}
        between: dict[str, Type] = {LOWER: Double(), UPPER: Double()} if self.model.intervals else {}
        return {SCORE: Double()} | between | ({RANK: Integer()} if self.task is RANKING else {})

    @property
    def meanings(self) -> dict[str, str]:
        """Column → what it means, in one sentence."""
        within = self.label.ranked_within
        score = {
            "binary": f"The probability (or score) of {self.label.name}.",
            "regression": f"The predicted {self.label.name}.",
            "multiclass": f"The probability of the class in {PREDICTED}.",
            "clustering": f"How far it is from the centre of {CLUSTER}, in standard deviations of the features.",
            "ranking": f"What rows of the same {within} are sorted by, the greatest first.",
        }[self.task]
        ranges, held = self.model.intervals, "of the range that holds the truth"
        share = f"{held} {ranges.coverage:.4g} of the times" if ranges else held
        return {
            LOWER: f"The lower end {share}.",
            UPPER: f"The upper end {share}.",
            EVENT_TIME: "The moment that is predicted from: nothing that became known later was read.",
            SCORE: score,
            CLUSTER: "The nearest cluster; 1 is the one with the most training rows.",
            RANK: f"The place in its {within}, 1 first; of equal scores the smaller key comes first.",
            PREDICTED: f"The likeliest {self.label.name}.",
            PROBABILITIES: "Of each class, sorted by name; the partition's record names them.",
            MODEL_VERSION: f"Version of {self.registration.name} in the registry.",
            MODEL_DIGEST: "Content hash of the model: its files, parameters, dataset and declaration.",
        }
