"""Ways to draw training rows again: one file per way."""

from platform_ml.resamplings.oversample import Oversample
from platform_ml.resamplings.undersample import Undersample

__all__ = ["Oversample", "Undersample"]
