"""How rows are divided into train, validation and test: one file per splitter."""

from platform_ml.splitters.by_time import ByTime

__all__ = ["ByTime"]
