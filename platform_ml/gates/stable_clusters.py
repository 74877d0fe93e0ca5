"""The clusters are there, and not only in the rows that happened to be drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.clusters import STABLE
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.gate import Outcome, Verdict
from platform_ml.spec.task import CLUSTERING, check_task

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult

FEWEST = 10
"""Resamples below which a mean similarity says little."""


@dataclass(frozen=True)
class StableClusters:
    """Every cluster has one like it in resamples, and none has hardly a row: Hennig (2007).

    Stability is the mean Jaccard similarity to the most similar cluster, over resamples of the training entities.
    """

    at_least: float = STABLE
    share: float = 0.0
    """The share of test rows that every cluster has at least."""

    def __post_init__(self) -> None:
        if not 0 < self.at_least <= 1:
            raise DeclarationError(f"StableClusters: at_least is {self.at_least}; it lies above 0 and at most at 1.")
        if not 0 <= self.share < 1 or not math.isfinite(self.share):
            raise DeclarationError(f"StableClusters: share is {self.share}; it is 0 or more, and less than 1.")

    @property
    def name(self) -> str:
        """As it is called."""
        return "stable_clusters"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        share = f" and at least {self.share:.4g} of the test rows" if self.share else ""
        return f"Every cluster has a stability of at least {self.at_least:.4g} over resamples{share}."

    def check(self, evaluation: Evaluation) -> None:
        """Refuse a model with a label."""
        check_task(f"Evaluation {evaluation.name!r}", "stability of clusters", [CLUSTERING], evaluation.model.task)

    def judge(self, result: EvaluationResult) -> Verdict:
        """One part for each cluster."""
        score = result.clusters
        parts = [
            self._part(f"cluster {one.number}", one.stability, one.share, one.test_rows)
            for one in (score.clusters if score else ())
        ]
        known = [one.stability for one in (score.clusters if score else ()) if one.stability is not None]
        outcomes = {part.outcome for part in parts}
        outcome = Outcome.PASSED
        if not parts or Outcome.NOT_ENOUGH_EVIDENCE in outcomes or (score and score.resamples < FEWEST):
            outcome = Outcome.NOT_ENOUGH_EVIDENCE
        if Outcome.FAILED in outcomes:
            outcome = Outcome.FAILED
        named = ", ".join(f"{part.gate}: {part.reason.rstrip('.')}" for part in parts if not part.passed)
        said = f"{len(parts)} clusters, the least stable {min(known):.4f}" if known else "Stability is not defined"
        return Verdict(
            gate=self.name,
            outcome=outcome,
            reason=f"{said}, must be at least {self.at_least:g}{f' ({named})' if named else ''}.",
            advice="" if outcome is Outcome.PASSED else "Use fewer clusters, other features, or more entities.",
            value=min(known, default=None),
            limit=self.at_least,
            rows=result.splits["test"].rows,
            parts=tuple(parts),
        )

    def _part(self, name: str, stability: float | None, share: float | None, rows: int) -> Verdict:
        if stability is None or share is None:
            outcome, reason = Outcome.NOT_ENOUGH_EVIDENCE, "no resample has it, or there are no test rows"
        elif stability < self.at_least or share < self.share:
            outcome, reason = Outcome.FAILED, f"stability {stability:.4f}, {share:.1%} of the test rows"
        else:
            outcome, reason = Outcome.PASSED, f"stability {stability:.4f}, {share:.1%} of the test rows"
        return Verdict(gate=name, outcome=outcome, reason=f"{reason}.", value=stability, limit=self.at_least, rows=rows)
