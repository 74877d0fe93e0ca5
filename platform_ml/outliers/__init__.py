"""What counts as an unusual value of a feature: one file per rule."""

from platform_ml.outliers.median_deviation import MedianDeviation
from platform_ml.outliers.tukey import Tukey

__all__ = ["MedianDeviation", "Tukey"]
