"""What stored training rows are read into: one file per library."""

from platform_ml.readers.arrow import Arrow
from platform_ml.readers.pandas import Pandas
from platform_ml.readers.polars import Polars
from platform_ml.readers.torch import Torch

__all__ = ["Arrow", "Pandas", "Polars", "Torch"]
