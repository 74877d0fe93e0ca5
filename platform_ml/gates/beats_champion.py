"""A model is better than the one in use, or no worse than one can bear."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import CHAMPION, Estimate
from platform_ml.spec.gate import Outcome, Verdict
from platform_ml.spec.naming import check_known

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult


@dataclass(frozen=True)
class BeatsChampion:
    """On the same test rows the model leads the champion by more than `by`, its whole interval.

    With a negative `by` it may be that much worse: `BeatsChampion("roc_auc", by=-0.01)` lets in what is no worse.
    """

    metric: str
    by: float = 0.0
    """In the metric's own unit, whichever direction is better."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.by):
            raise DeclarationError(f"BeatsChampion on {self.metric!r}: by is {self.by}; a lead is a number.")

    @property
    def name(self) -> str:
        """beats_champion_on_roc_auc."""
        return f"beats_champion_on_{self.metric}"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return (
            f"On the same test rows, the 95 % interval of the lead over the champion in {self.metric} is above "
            f"{self.by:g}; without a champion the first model passes."
        )

    def check(self, evaluation: Evaluation) -> None:
        """Refuse an evaluation without champion, and a metric that is not measured."""
        where = f"Evaluation {evaluation.name!r}"
        check_known(where, "metric", [self.metric], [metric.name for metric in evaluation.metrics])
        if not evaluation.champion:
            raise DeclarationError(
                f"{where} compares with no champion. Declare champion=, the name of the registration whose alias "
                f"{CHAMPION!r} it has."
            )

    def judge(self, result: EvaluationResult) -> Verdict:
        """Fail a smaller lead; one whose interval reaches the limit needs more rows."""
        champion = result.evidence.champion if result.evidence else None
        if champion in {"", result.model_digest}:
            reason = "There is no champion yet." if not champion else "This model is the champion."
            return Verdict(gate=self.name, outcome=Outcome.PASSED, reason=reason, limit=self.by)
        score = result.baselines.get(CHAMPION) if champion else None
        lead = score.lead.get(self.metric, Estimate(value=None)) if score else Estimate(value=None)
        rows, needed, advice = result.splits["test"].rows, None, ""
        if lead.value is None or lead.low is None:
            outcome = Outcome.NOT_ENOUGH_EVIDENCE
            advice = (
                "The champion was not measured on these rows: another declaration made it, or its files are gone. "
                "Compare the cards, and waive this gate for the first model of a new declaration."
            )
        elif lead.value <= self.by:
            outcome, advice = Outcome.FAILED, "Keep the champion, or find out what the new rows have taught wrongly."
        elif lead.low <= self.by:
            outcome = Outcome.NOT_ENOUGH_EVIDENCE
            needed = math.ceil(round(rows * ((lead.value - lead.low) / (lead.value - self.by)) ** 2, 6))
            advice = f"If the lead is real, about {needed:,} test rows would show it."
        else:
            outcome = Outcome.PASSED
        return Verdict(
            gate=self.name,
            outcome=outcome,
            reason=f"{self.metric} leads the champion by {lead} on {rows:,} test rows, must be above {self.by:g}.",
            advice=advice,
            value=lead.value,
            limit=self.by,
            low=lead.low,
            high=lead.high,
            rows=rows,
            rows_needed=needed,
        )
