"""What the gates on a metric of every slice have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from platform_ml.gates.slices import Held, PerSlice
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_known

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.evidence import Compared


@dataclass(frozen=True)
class SliceLimit(PerSlice):
    """A metric of every slice stays on the right side of a limit, as far as its rows can tell."""

    metric: str
    limit: float

    goal: ClassVar[Literal["maximize", "minimize"]]
    """The metrics that it is for."""
    words: ClassVar[str]
    """"at least" or "at most"."""

    def __post_init__(self) -> None:
        where = f"{type(self).__name__} on {self.metric!r}"
        self.check_support(where)
        if not math.isfinite(self.limit):
            raise DeclarationError(f"{where}: limit {self.limit} is no number.")

    @property
    def name(self) -> str:
        """slices_roc_auc_at_least."""
        return f"slices_{self.metric}_{self.words.replace(' ', '_')}"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return (
            f"On no slice of at least {self.min_rows:,} test rows is it shown, corrected for how many there are, that "
            f"{self.metric} is not {self.words} {self.limit:g}."
        )

    @property
    def judged_by(self) -> str:
        """roc_auc, at least 0.7."""
        return f"{self.metric}, {self.words} {self.limit:g}"

    @property
    def measures(self) -> tuple[str, ...]:
        """The metric."""
        return (self.metric,)

    def check(self, evaluation: Evaluation) -> None:
        """Refuse an unknown metric, one that this gate would hold back for being good, and having no slices."""
        check_known(
            f"Evaluation {evaluation.name!r}", "metric", [self.metric], [metric.name for metric in evaluation.metrics]
        )
        if evaluation.metric(self.metric).goal != self.goal:
            other = "SliceAtLeast" if self.goal == "minimize" else "SliceAtMost"
            raise DeclarationError(
                f"{type(self).__name__} on {self.metric!r}: this would stop good models. Use {other}."
            )
        self.check_slices(evaluation)

    def held(self, one: Compared, value: float, _reference: float, _goal: str) -> Held:
        """The metric itself against the limit."""
        sign = -1.0 if self.goal == "maximize" else 1.0
        error = one.spread(1, 0)
        return Held(value=value, limit=self.limit, excess=sign * (value - self.limit), error=error, value_error=error)
