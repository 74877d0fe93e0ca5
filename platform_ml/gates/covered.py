"""A model is not asked about what it never saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.gates.one_number import judged
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Measured

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult
    from platform_ml.spec.gate import Verdict

NAMED = 3
"""Features that a reason names."""


@dataclass(frozen=True)
class Covered:
    """So many of the test rows have every feature within the range, or among the categories, of the training rows."""

    limit: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.limit <= 1:
            raise DeclarationError(f"Covered: limit is {self.limit}; it is a share above 0 and at most 1.")

    @property
    def name(self) -> str:
        """As it is called."""
        return "covered_by_training"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"At least {self.limit:.4g} of the test rows have every feature within what training rows had."

    def check(self, evaluation: Evaluation) -> None:
        """Every evaluation has its numbers."""

    def judge(self, result: EvaluationResult) -> Verdict:
        """Name the features that are outside most often."""
        known = result.evidence
        outside = sorted(known.outside.items(), key=lambda item: (-item[1], item[0]))[:NAMED] if known else []
        named = ", ".join(f"{name} ({share:.1%})" for name, share in outside)
        return judged(
            self.name,
            known.covered if known else Measured(),
            what="share of rows within what training rows had",
            limit=self.limit,
            at_least=True,
            rows=result.splits["test"].rows,
            advice=f"Most often outside: {named}. Train on more history, or clip them." if named else "Train on more.",
        )
