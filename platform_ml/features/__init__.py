"""What can be known of an entity: one file per feature."""

from platform_ml.features.age import Age
from platform_ml.features.count import Count
from platform_ml.features.days_active import DaysActive
from platform_ml.features.deviation import Deviation
from platform_ml.features.difference import Difference
from platform_ml.features.distinct import Distinct
from platform_ml.features.exists import Exists
from platform_ml.features.exponential_mean import ExponentialMean
from platform_ml.features.field import Field
from platform_ml.features.frequency import Frequency
from platform_ml.features.mean import Mean
from platform_ml.features.named import Named
from platform_ml.features.quotient import Quotient
from platform_ml.features.ratio import Ratio
from platform_ml.features.recency import Recency
from platform_ml.features.repeat_rate import RepeatRate
from platform_ml.features.slope import Slope
from platform_ml.features.tenure import Tenure
from platform_ml.features.tier import Tier
from platform_ml.features.total import Total
from platform_ml.features.training_load import training_habits, training_load
from platform_ml.features.trend import Trend
from platform_ml.features.variance import Variance
from platform_ml.features.velocity import Velocity
from platform_ml.features.weeks_active import WeeksActive
from platform_ml.features.windowed import Windowed

__all__ = [
    "Age",
    "Count",
    "DaysActive",
    "Deviation",
    "Difference",
    "Distinct",
    "Exists",
    "ExponentialMean",
    "Field",
    "Frequency",
    "Mean",
    "Named",
    "Quotient",
    "Ratio",
    "Recency",
    "RepeatRate",
    "Slope",
    "Tenure",
    "Tier",
    "Total",
    "Trend",
    "Variance",
    "Velocity",
    "WeeksActive",
    "Windowed",
    "training_habits",
    "training_load",
]
