"""What exact windows can make of their events: one file per aggregation."""

from platform_ml.aggregations.count import Count
from platform_ml.aggregations.decayed_mean import DecayedMean
from platform_ml.aggregations.deviation import Deviation
from platform_ml.aggregations.distinct import Distinct
from platform_ml.aggregations.event_sequence import EventSequence
from platform_ml.aggregations.first import First
from platform_ml.aggregations.last import Last
from platform_ml.aggregations.maximum import Maximum
from platform_ml.aggregations.mean import Mean
from platform_ml.aggregations.minimum import Minimum
from platform_ml.aggregations.rate import Rate
from platform_ml.aggregations.total import Total
from platform_ml.aggregations.trend import Trend
from platform_ml.aggregations.variance import Variance

__all__ = [
    "Count",
    "DecayedMean",
    "Deviation",
    "Distinct",
    "EventSequence",
    "First",
    "Last",
    "Maximum",
    "Mean",
    "Minimum",
    "Rate",
    "Total",
    "Trend",
    "Variance",
]
