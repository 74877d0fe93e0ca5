"""A model answers fast enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.gate import Outcome, Verdict
from platform_ml.spec.naming import check_known

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult

PERCENTILES = ("p50", "p95", "p99")


@dataclass(frozen=True)
class Latency:
    """Predicting one row takes at most so many milliseconds, in so many of 100 calls, where the evaluation ran."""

    limit_ms: float
    percentile: Literal["p50", "p95", "p99"] = "p95"

    def __post_init__(self) -> None:
        check_known("Latency", "percentile", [self.percentile], PERCENTILES)
        if not (math.isfinite(self.limit_ms) and self.limit_ms > 0):
            raise DeclarationError(f"Latency: limit_ms is {self.limit_ms}; it is above 0.")

    @property
    def name(self) -> str:
        """latency_p95."""
        return f"latency_{self.percentile}"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"Predicting one row takes at most {self.limit_ms:g} ms ({self.percentile})."

    def check(self, evaluation: Evaluation) -> None:
        """Every evaluation has its numbers."""

    def judge(self, result: EvaluationResult) -> Verdict:
        """The measured time itself decides."""
        found = result.latency_ms.get(self.percentile, math.nan)
        known = math.isfinite(found)
        outcome = Outcome.PASSED if found <= self.limit_ms else Outcome.FAILED
        advice = {
            Outcome.PASSED: "",
            Outcome.FAILED: "Use fewer or smaller trees, fewer features, or the ONNX graph.",
            Outcome.NOT_ENOUGH_EVIDENCE: "Materialize the evaluation again with test rows to predict.",
        }
        outcome = outcome if known else Outcome.NOT_ENOUGH_EVIDENCE
        shown = f"{found:.4g} ms" if known else "not defined"
        return Verdict(
            gate=self.name,
            outcome=outcome,
            reason=f"Predicting one row takes {shown} ({self.percentile}), must be at most {self.limit_ms:g} ms.",
            advice=advice[outcome],
            value=found,
            limit=self.limit_ms,
        )
