"""Ways to search hyper-parameters: one file per tuner."""

from platform_ml.tuners.tpe import TPE

__all__ = ["TPE"]
