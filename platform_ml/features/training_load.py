"""Fitness and fatigue of athletes, as performance charts have them."""

from __future__ import annotations

from platform_ml.features.difference import Difference
from platform_ml.features.exponential_mean import ExponentialMean
from platform_ml.features.named import Named
from platform_ml.features.quotient import Quotient


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
