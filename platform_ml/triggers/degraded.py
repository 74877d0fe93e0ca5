"""The model in use predicts worse than when it was registered."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_known
from platform_ml.spec.reason import Reason
from platform_ml.spec.trigger import Answer

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Estimate, Evaluation
    from platform_ml.spec.trigger import Reads, State


@dataclass(frozen=True, kw_only=True)
class Degraded:
    """A metric of the version in use is worse, on rows whose outcome became known since, than when it was registered.

    Worse by more than `by`; without it, by more than the two 95 % intervals explain: the root of the sum of the squares
    of their halves, as for the difference of two independent estimates.
    """

    metric: str
    by: float | None = None
    """In the unit of the metric."""
    rows: int = 200
    """Fewer rows say nothing."""

    def __post_init__(self) -> None:
        if self.by is not None and not (math.isfinite(self.by) and self.by > 0):
            raise DeclarationError(f"Degraded by {self.by} is no loss. Use a number above 0, or leave it out.")
        if self.rows < 1:
            raise DeclarationError(f"Degraded: nothing can be measured on {self.rows} rows. Use 1 or more.")

    @property
    def name(self) -> str:
        """degraded_roc_auc."""
        return f"degraded_{self.metric}"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        much = "what its intervals explain" if self.by is None else f"{self.by:g}"
        return (
            f"{self.metric} of the version in use is worse by more than {much} on {self.rows:,} or more rows whose "
            "outcome became known since."
        )

    @property
    def reason(self) -> Reason:
        """What a run is tagged with."""
        return Reason.DEGRADATION

    @property
    def reads(self) -> Reads:
        """Its predictions of rows that it has never seen."""
        return "performance"

    def check(self, evaluation: Evaluation) -> None:
        """Refuse a metric that is not measured."""
        check_known("Degraded", "metric", [self.metric], [metric.name for metric in evaluation.metrics])

    def judge(self, state: State) -> Answer:
        """Then and now, with what is allowed to lie between them."""
        if not state.in_use:
            return Answer(fired=False, says="no version is in use")
        if state.known_rows < self.rows:
            says = f"{state.known_rows:,} of {self.rows:,} rows known since that {state.in_use} can be measured on"
            return Answer(fired=False, says=says)
        found = state.performance.get(self.metric)
        loss = found.loss if found else None
        if found is None or loss is None:
            missing = state.gaps.get("performance") or "it is not defined on one side"
            return Answer(fired=False, says=f"{self.metric} of {state.in_use} cannot be compared: {missing}")
        limit = self.by if self.by is not None else math.hypot(_half(found.then), _half(found.now))
        says = (
            f"{found.title} of {state.in_use} was {found.then} and is {found.now} on {state.known_rows:,} rows known "
            f"since: {abs(loss):.4g} {'worse' if loss > 0 else 'better'}, {limit:.4g} worse is allowed"
        )
        return Answer(fired=math.isfinite(limit) and loss > limit, says=says)


def _half(estimate: Estimate) -> float:
    """Of its interval; infinite where there is none, which explains everything."""
    if estimate.low is None or estimate.high is None:
        return math.inf
    return (estimate.high - estimate.low) / 2
