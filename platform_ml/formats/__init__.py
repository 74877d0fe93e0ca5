"""How delivered files are read: one file per format."""

from platform_ml.formats.activity import ACTIVITY_EXPORTS, EXPORT_TIMES
from platform_ml.formats.avro import Avro
from platform_ml.formats.csv import CSV
from platform_ml.formats.json import JSON
from platform_ml.formats.json_lines import JSONLines
from platform_ml.formats.parquet import Parquet
from platform_ml.formats.reading import Read

__all__ = ["ACTIVITY_EXPORTS", "CSV", "EXPORT_TIMES", "JSON", "Avro", "JSONLines", "Parquet", "Read"]
