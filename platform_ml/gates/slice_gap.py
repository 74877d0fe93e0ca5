"""No slice is served much worse than all test rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.gates.slices import Held, PerSlice
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_known

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.evidence import Compared


@dataclass(frozen=True, kw_only=True)
class SliceGap(PerSlice):
    """A metric of every slice is at most so much worse than that of all test rows, as far as its rows can tell.

    Say how much as a difference or as a ratio: `SliceGap(metric="mae", ratio=1.25)`.
    """

    metric: str
    difference: float | None = None
    """In the metric's own unit, whichever direction is better."""
    ratio: float | None = None
    """Slice over all: at least 1 where less is better, above 0 and at most 1 where more is better."""

    def __post_init__(self) -> None:
        where = f"SliceGap on {self.metric!r}"
        self.check_support(where)
        if (self.difference is None) == (self.ratio is None):
            raise DeclarationError(f"{where}: give a difference or a ratio, one of the two.")
        if self.difference is not None and not (math.isfinite(self.difference) and self.difference >= 0):
            raise DeclarationError(f"{where}: difference is {self.difference}; it is 0 or more.")
        if self.ratio is not None and not (math.isfinite(self.ratio) and self.ratio > 0):
            raise DeclarationError(f"{where}: ratio is {self.ratio}; it is above 0.")

    @property
    def name(self) -> str:
        """slice_gap_roc_auc, or slice_ratio_mae."""
        return f"slice_{'gap' if self.ratio is None else 'ratio'}_{self.metric}"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        than = "more than {0:g} worse than" if self.ratio is None else "worse than {0:g} times"
        return (
            f"On no slice of at least {self.min_rows:,} test rows is it shown, corrected for how many there are, that "
            f"{self.metric} is {than.format(self.ratio or self.difference)} that of all test rows."
        )

    @property
    def judged_by(self) -> str:
        """The gap of roc_auc to all test rows, limit 0.1."""
        if self.difference is not None:
            return f"the gap of {self.metric} to all test rows, limit -{self.difference:g}"
        return f"{self.metric} over that of all test rows, limit {self.ratio:g}"

    @property
    def measures(self) -> tuple[str, ...]:
        """The metric."""
        return (self.metric,)

    def check(self, evaluation: Evaluation) -> None:
        """Refuse an unknown metric, a ratio that would stop good models, and having no slices."""
        known = [metric.name for metric in evaluation.metrics]
        check_known(f"Evaluation {evaluation.name!r}", "metric", [self.metric], known)
        goal = evaluation.metric(self.metric).goal
        if self.ratio is not None and (self.ratio > 1 if goal == "maximize" else self.ratio < 1):
            side = "at most 1: more is better" if goal == "maximize" else "at least 1: less is better"
            raise DeclarationError(f"SliceGap on {self.metric!r}: ratio is {self.ratio:g}; it is {side}.")
        self.check_slices(evaluation)

    def held(self, one: Compared, value: float, reference: float, goal: str) -> Held:
        """The difference, negative where worse, or the ratio."""
        better = 1.0 if goal == "maximize" else -1.0
        if self.difference is not None:
            gap, error = better * (value - reference), one.spread(1, -1)
            return Held(
                value=gap, limit=-self.difference, excess=-self.difference - gap, error=error, value_error=error
            )
        limit = self.ratio or 1.0
        found = value / reference if reference else math.nan
        spread = one.spread(1, -found)
        return Held(
            value=found,
            limit=limit,
            # Not the ratio itself: its distribution is skewed, that of the difference hardly.
            excess=better * (limit * reference - value) if reference > 0 else math.nan,
            error=one.spread(1, -limit),
            value_error=None if spread is None or not reference else spread / abs(reference),
        )
