"""Test rows look like training rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.gate import Outcome, Verdict

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult

NAMED = 5
"""Drifted features that a reason names; the verdict's parts have them all."""


@dataclass(frozen=True)
class DriftOfInputs:
    """The population stability index of every feature, from training to test rows, is at most `limit`.

    Or what chance explains in so few rows. Below 0.1 little has changed, above 0.25 much (Siddiqi 2006).
    """

    limit: float = 0.25

    def __post_init__(self) -> None:
        if not (math.isfinite(self.limit) and self.limit > 0):
            raise DeclarationError(f"DriftOfInputs: limit is {self.limit}; it is above 0.")

    @property
    def name(self) -> str:
        """As it is called."""
        return "drift_of_inputs"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return (
            f"Every feature's population stability index from training to test rows is at most {self.limit:g}, or what "
            "chance explains."
        )

    def check(self, evaluation: Evaluation) -> None:
        """Every evaluation of a published dataset has its numbers."""

    def judge(self, result: EvaluationResult) -> Verdict:
        """The feature that drifted most decides."""
        found = dict(result.evidence.drift) if result.evidence else {}
        rows = result.splits["test"].rows
        if not found:
            return Verdict(
                gate=self.name,
                outcome=Outcome.NOT_ENOUGH_EVIDENCE,
                reason="No feature could be compared: there are no statistics, or too few values.",
                advice="Materialize the dataset, the model and the evaluation again.",
                limit=self.limit,
                rows=rows,
            )
        order = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
        parts = tuple(self._part(name, index, chance, rows) for name, (index, chance) in order)
        failed = [part for part in parts if not part.passed]
        worst = (failed or parts)[0]
        named = ", ".join(f"{part.gate} {part.value:.4f}" for part in (failed or parts[:1])[:NAMED])
        drifted = (
            f"{len(failed)} of {len(parts)} features drifted" if failed else f"None of {len(parts)} features drifted"
        )
        return Verdict(
            gate=self.name,
            outcome=worst.outcome,
            reason=f"{drifted}, limit {worst.limit:.4g}; {'most' if failed else 'greatest'}: {named}.",
            advice="Look at what changed before the test rows, and train on newer rows." if failed else "",
            value=worst.value,
            limit=worst.limit,
            rows=rows,
            parts=parts,
        )

    def _part(self, name: str, index: float, chance: float, rows: int) -> Verdict:
        limit = max(self.limit, chance)
        return Verdict(
            gate=name,
            outcome=Outcome.PASSED if index <= limit else Outcome.FAILED,
            reason=f"{index:.4f}, at most {limit:.4g} ({'chance' if chance > self.limit else 'declared'}).",
            value=index,
            limit=limit,
            rows=rows,
        )
