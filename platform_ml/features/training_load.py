"""What is known of how an athlete trains, as performance charts have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.features.difference import Difference
from platform_ml.features.exponential_mean import ExponentialMean
from platform_ml.features.mean import Mean
from platform_ml.features.named import Named
from platform_ml.features.quotient import Quotient
from platform_ml.features.ratio import Ratio
from platform_ml.features.slope import Slope
from platform_ml.features.total import Total
from platform_ml.features.weeks_active import WeeksActive

if TYPE_CHECKING:
    from platform_ml.spec.feature import Feature


def training_load(of: str) -> tuple[Named, ...]:
    """ctl_42d, atl_7d, tsb and acwr of a column with the load of each activity.

    Chronic and acute load are exponential means of the daily load (Banister et al. 1975; Allen and Coggan 2010); the
    balance is one less the other, the ratio the second over the first (Hulin et al. 2016). A mean without an end would
    read all history: these end where 1 % of their weight is left, after 194 and 33 days.
    """
    chronic, acute = ExponentialMean(days=194, decay_days=42, of=of), ExponentialMean(days=33, decay_days=7, of=of)
    return (
        Named(of=chronic, called="ctl_42d"),
        Named(of=acute, called="atl_7d"),
        Named(of=Quotient(of=acute, per=chronic), called="acwr"),
        Named(of=Difference(of=chronic, less=acute), called="tsb"),
    )


def training_habits(days: int = 42) -> tuple[Feature, ...]:
    """How much, how regularly, how fast and on what somebody trains, of columns as `ACTIVITY_DERIVED` makes them."""
    return (
        Named(of=Slope(days=30, of="pace"), called="pace_trend_30d"),
        Named(of=Mean(days=days, of="pace"), called="usual_pace"),
        Named(of=Ratio(days=days, of="elevation", per="km"), called="elevation_per_km"),
        Named(of=WeeksActive(days=days), called="consistency_score"),
        Named(of=Ratio(days=days, of="run_time", per="duration"), called="running_share"),
        *Total.over(7, days, of="run_km"),
        *Total.over(7, of="load"),
    )
