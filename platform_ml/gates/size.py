"""A model is small enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.gate import Outcome, Verdict

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult


@dataclass(frozen=True)
class Size:
    """The saved model has at most so many bytes."""

    limit_bytes: int

    def __post_init__(self) -> None:
        if self.limit_bytes < 1:
            raise DeclarationError(f"Size: limit_bytes is {self.limit_bytes}; it is 1 or more.")

    @property
    def name(self) -> str:
        """As it is called."""
        return "size"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"The saved model has at most {self.limit_bytes:,} bytes."

    def check(self, evaluation: Evaluation) -> None:
        """Every evaluation has its numbers."""

    def judge(self, result: EvaluationResult) -> Verdict:
        """A model of no bytes was not measured."""
        found = result.size_bytes
        outcome = Outcome.PASSED if found <= self.limit_bytes else Outcome.FAILED
        outcome = outcome if found > 0 else Outcome.NOT_ENOUGH_EVIDENCE
        advice = {
            Outcome.PASSED: "",
            Outcome.FAILED: "Use fewer or smaller trees, or fewer features.",
            Outcome.NOT_ENOUGH_EVIDENCE: "Materialize the model and the evaluation again.",
        }
        return Verdict(
            gate=self.name,
            outcome=outcome,
            reason=f"The model has {found:,} bytes, must be at most {self.limit_bytes:,}.",
            advice=advice[outcome],
            value=float(found),
            limit=float(self.limit_bytes),
        )
