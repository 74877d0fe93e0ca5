"""Whether a metric gets worse over time by more than its intervals, and its ups and downs, allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.backtest import FEWEST
from platform_ml.spec.evaluation import CONFIDENCE, Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date


@dataclass(frozen=True, kw_only=True)
class Trend:
    """A straight line through a metric at several cutoffs."""

    cutoffs: int
    """How many it goes through."""
    worsening: Estimate
    """By how much the line is worse at the last cutoff than at the first, in the metric's unit; negative is better."""
    line: tuple[tuple[str, float], tuple[str, float]] | None
    """Its ends: the first and the last of these cutoffs, and the metric there."""

    def allowed(self, limit: float) -> bool:
        """Whether it may be that the metric got worse by no more than the limit; too few cutoffs say nothing."""
        return self.worsening.low is None or self.worsening.low <= limit


def trend(days: Sequence[date], estimates: Sequence[Estimate], *, goal: str) -> Trend:
    """Weighted least squares of a metric on the day of its cutoff.

    Weights are inverse squares of standard errors, as the widths of the intervals tell them; where the cutoffs scatter
    by more than these allow, the error of the slope grows by the Birge ratio (Birge, Phys. Rev. 40, 1932, 207), and
    its interval is that of Student's t with two degrees of freedom less than cutoffs. One cutoff's test rows are often
    another one's training rows, of the same entities; that the estimates depend on each other is not accounted for.

    Args:
        days: when the cutoffs are, in order.
        estimates: the metric at each of them; one without an interval of some width is left out.
        goal: maximize or minimize.
    """
    import numpy as np
    from scipy import stats

    known = [(day, *said) for day, one in zip(days, estimates, strict=True) if (said := _said(one))]
    if len(known) < FEWEST:
        return Trend(cutoffs=len(known), worsening=Estimate(value=None), line=None)
    sign = -1.0 if goal == "maximize" else 1.0
    span = (known[-1][0] - known[0][0]).days
    x = np.array([(day - known[0][0]).days / span for day, _, _ in known])
    y = np.array([value for _, value, _ in known])
    weights = (np.array([width for _, _, width in known]) / (2 * stats.norm.ppf((1 + CONFIDENCE) / 2))) ** -2
    middle = np.average(x, weights=weights)
    spread = float(np.sum(weights * (x - middle) ** 2))
    slope = float(np.sum(weights * (x - middle) * y) / spread)
    start = float(np.average(y, weights=weights) - slope * middle)
    free = len(known) - 2
    birge = float(np.sum(weights * (y - start - slope * x) ** 2)) / free
    error = float(np.sqrt(max(1.0, birge) / spread))
    reach = float(stats.t.ppf((1 + CONFIDENCE) / 2, free)) * error
    low, high = sorted((sign * slope - reach, sign * slope + reach))
    return Trend(
        cutoffs=len(known),
        worsening=Estimate(value=sign * slope, low=low, high=high),
        line=((str(known[0][0]), start), (str(known[-1][0]), start + slope)),
    )


def _said(one: Estimate) -> tuple[float, float] | None:
    """The value and the width of its interval."""
    if one.value is None or one.low is None or one.high is None or one.low >= one.high:
        return None
    return one.value, one.high - one.low
