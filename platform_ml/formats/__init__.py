"""How delivered files are read: one file per format."""

from platform_ml.formats.parquet import Parquet

__all__ = ["Parquet"]
