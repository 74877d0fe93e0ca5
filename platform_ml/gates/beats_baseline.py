"""A model is worth its trouble."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.gate import Outcome, Verdict
from platform_ml.spec.naming import check_known

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult


@dataclass(frozen=True)
class BeatsBaseline:
    """On the test rows the model leads a baseline by at least `by`, and by more than chance explains."""

    baseline: str
    metric: str
    by: float
    """In the metric's own unit, whichever direction is better."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.by) and self.by >= 0):
            raise DeclarationError(f"BeatsBaseline {self.baseline!r}: by is {self.by}; a lead is 0 or more.")

    @property
    def name(self) -> str:
        """beats_recency_on_roc_auc."""
        return f"beats_{self.baseline}_on_{self.metric}"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return (
            f"On the test rows, {self.metric} is better than that of the baseline {self.baseline} by at least "
            f"{self.by:g}, and the 95 % interval of the lead is above 0."
        )

    def check(self, evaluation: Evaluation) -> None:
        """Refuse a baseline that the model does not have and a metric that is not measured."""
        known = [metric.name for metric in evaluation.metrics]
        rivals = [baseline.name for baseline in evaluation.model.baselines]
        check_known(f"Evaluation {evaluation.name!r}", "metric", [self.metric], known)
        check_known(f"Model {evaluation.model.name!r}", "baseline", [self.baseline], rivals)

    def judge(self, result: EvaluationResult) -> Verdict:
        """Fail a small lead; a large one whose interval reaches 0 needs more rows."""
        score = result.baselines.get(self.baseline)
        lead = score.lead.get(self.metric, Estimate(value=None)) if score else Estimate(value=None)
        rows = result.splits["test"].rows
        reason = (
            f"{self.metric} leads {self.baseline} by {lead} on {rows:,} test rows, must be at least {self.by:g} with "
            "an interval above 0."
        )
        needed = None
        if lead.value is None or lead.low is None:
            outcome = Outcome.NOT_ENOUGH_EVIDENCE
            advice = (
                "Test on more entities of different outcomes, and compare by a metric that both predictions can have."
            )
        elif lead.value < self.by:
            outcome = Outcome.FAILED
            advice = f"It misses by {self.by - lead.value:.4f}. Improve the model, or use the baseline: it is simpler."
        elif lead.low <= 0:
            outcome, needed = Outcome.NOT_ENOUGH_EVIDENCE, _needed(lead.value, lead.low, rows)
            advice = (
                "The model is no better than the baseline. Improve it, or use the baseline: it is simpler."
                if needed is None
                else f"If the lead is real, about {needed:,} test rows would show it."
            )
        else:
            outcome, advice = Outcome.PASSED, ""
        return Verdict(
            gate=self.name,
            outcome=outcome,
            reason=reason,
            advice=advice,
            value=lead.value,
            limit=self.by,
            low=lead.low,
            high=lead.high,
            rows=rows,
            rows_needed=needed,
        )


def _needed(lead: float, low: float, rows: int) -> int | None:
    """An interval narrows with the square root of the rows; None where no number of rows would help."""
    return None if lead <= 0 else math.ceil(rows * ((lead - low) / lead) ** 2)
