"""How delivered files are read: one file per format."""

from platform_ml.formats.avro import Avro
from platform_ml.formats.csv import CSV
from platform_ml.formats.json import JSON
from platform_ml.formats.json_lines import JSONLines
from platform_ml.formats.parquet import Parquet

__all__ = ["CSV", "JSON", "Avro", "JSONLines", "Parquet"]
