"""A model is as good at the end of the test window as at its beginning."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from platform_ml.gates.one_number import judged
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Stability
from platform_ml.spec.gate import Outcome, Verdict
from platform_ml.spec.naming import check_known

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult

ADVICE = "Look at the periods for what changed between them, and train on rows that are closer to use."
ORDER = (Outcome.FAILED, Outcome.NOT_ENOUGH_EVIDENCE, Outcome.PASSED)


@dataclass(frozen=True, kw_only=True)
class StableOverTime:
    """Over the periods of the test rows a metric neither falls nor varies by more than declared.

    The trend is the change from the first to the last period along the line of least squares; the spread is the
    standard deviation over periods, the trend included, less what chance adds to it. Periods weigh as their rows.
    """

    metric: str
    fall: float
    """How much worse it may become, in the metric's own unit, whichever direction is better."""
    spread: float
    """How far periods may lie from their mean, in the same unit."""
    min_periods: int = 3
    """That have the evaluation's min_rows; of fewer nobody can say."""

    def __post_init__(self) -> None:
        where = f"StableOverTime on {self.metric!r}"
        for name in ("fall", "spread"):
            limit = getattr(self, name)
            if not (math.isfinite(limit) and limit >= 0):
                raise DeclarationError(f"{where}: {name} is {limit}; it is 0 or more.")
        if self.min_periods < 2:  # noqa: PLR2004 - one period has no trend
            raise DeclarationError(f"{where}: min_periods is {self.min_periods}; it is 2 or more.")

    @property
    def name(self) -> str:
        """stable_over_time_roc_auc."""
        return f"stable_over_time_{self.metric}"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return (
            f"Over at least {self.min_periods} periods of the test rows, {self.metric} falls by at most {self.fall:g} "
            f"and varies by at most {self.spread:g}."
        )

    def check(self, evaluation: Evaluation) -> None:
        """Refuse an unknown metric, and an evaluation without periods."""
        where = f"Evaluation {evaluation.name!r}"
        check_known(where, "metric", [self.metric], [metric.name for metric in evaluation.metrics])
        if evaluation.periods is None:
            raise DeclarationError(f"{where} has no periods for {self.name} to judge. Declare periods='week', say.")

    def judge(self, result: EvaluationResult) -> Verdict:
        """The worse of two verdicts: on the trend and on the spread."""
        known = result.evidence.stability if result.evidence else {}
        found = known.get(self.metric, Stability(periods=0, rows=0))
        over = f"over {found.periods} periods of at least {result.min_rows:,} rows"
        if found.periods < self.min_periods:
            return Verdict(
                gate=self.name,
                outcome=Outcome.NOT_ENOUGH_EVIDENCE,
                reason=f"{self.metric} is known {over} of the test rows, must be at least {self.min_periods}.",
                advice="Test on a longer window, or by shorter periods; each needs rows of different outcomes.",
                limit=-self.fall,
                rows=found.rows,
            )
        trend = judged(
            "trend",
            found.trend,
            what=f"the change of {self.metric}, negative is worse, {over}",
            limit=-self.fall,
            at_least=True,
            rows=found.rows,
            advice=ADVICE,
        )
        spread = judged(
            "spread",
            found.spread,
            what=f"the standard deviation of {self.metric} {over}",
            limit=self.spread,
            at_least=False,
            rows=found.rows,
            advice=ADVICE,
        )
        worse = min(trend, spread, key=lambda part: ORDER.index(part.outcome))
        other = spread if worse is trend else trend
        return replace(worse, gate=self.name, reason=f"{worse.reason} {other.reason}", parts=(trend, spread))
