"""What the gates on a single test metric have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.gate import Outcome, Verdict
from platform_ml.spec.naming import check_known

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult


@dataclass(frozen=True)
class Limit:
    """A metric of the test rows stays on the right side of a limit, the limit itself included."""

    metric: str
    limit: float

    goal: ClassVar[Literal["maximize", "minimize"]]
    """The metrics that it is for."""
    words: ClassVar[str]
    """"at least" or "at most"."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.limit):
            raise DeclarationError(f"{type(self).__name__} on {self.metric!r}: limit {self.limit} is no number.")

    @property
    def name(self) -> str:
        """roc_auc_at_least."""
        return f"{self.metric}_{self.words.replace(' ', '_')}"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"On the test rows, {self.metric} is {self.words} {self.limit:g}."

    def check(self, evaluation: Evaluation) -> None:
        """Refuse an unknown metric, and one that this gate would hold back for being good."""
        known = [metric.name for metric in evaluation.metrics]
        check_known(f"Evaluation {evaluation.name!r}", "metric", [self.metric], known)
        if (goal := evaluation.metric(self.metric).goal) != self.goal:
            better, other = ("higher", "AtLeast") if goal == "maximize" else ("lower", "AtMost")
            raise DeclarationError(
                f"{type(self).__name__} on {self.metric!r}: {better} is better, so this would stop good models. "
                f"Use {other}."
            )

    def judge(self, result: EvaluationResult) -> Verdict:
        """Pass when the point value holds the limit; the interval is shown for the reader."""
        estimate = result.test(self.metric)
        rows = result.splits["test"].rows
        reason = f"{self.metric} is {estimate} on {rows:,} test rows, must be {self.words} {self.limit:g}."
        if estimate.value is None:
            outcome = Outcome.NOT_ENOUGH_EVIDENCE
            advice = f"Look for test rows of different outcomes and for predictions that {self.metric} can take."
        elif self._holds(estimate.value):
            outcome, advice = Outcome.PASSED, ""
        else:
            outcome = Outcome.FAILED
            advice = (
                f"It misses by {abs(estimate.value - self.limit):.4f}. If the validation score is fine, look at what "
                "changed before the test period; if not, give the model better features or more history."
            )
        return Verdict(
            gate=self.name,
            outcome=outcome,
            reason=reason,
            advice=advice,
            value=estimate.value,
            limit=self.limit,
            low=estimate.low,
            high=estimate.high,
            rows=rows,
        )

    def _holds(self, value: float) -> bool:
        return value >= self.limit if self.goal == "maximize" else value <= self.limit
