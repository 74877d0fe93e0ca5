"""How delivered files are read: one file per format."""

from platform_ml.formats.activity import (
    ACTIVITY_COLUMNS,
    ACTIVITY_DERIVED,
    ACTIVITY_EXPORTS,
    ATHLETE_COLUMNS,
    ATHLETE_EXPORTS,
    EXPORT_TIMES,
)
from platform_ml.formats.avro import Avro
from platform_ml.formats.csv import CSV
from platform_ml.formats.fit import FIT
from platform_ml.formats.gpx import GPX
from platform_ml.formats.json import JSON
from platform_ml.formats.json_lines import JSONLines
from platform_ml.formats.parquet import Parquet
from platform_ml.formats.race import RESULT_COLUMNS, RESULT_EXPORTS
from platform_ml.formats.reading import Read
from platform_ml.formats.tcx import TCX

__all__ = [
    "ACTIVITY_COLUMNS",
    "ACTIVITY_DERIVED",
    "ACTIVITY_EXPORTS",
    "ATHLETE_COLUMNS",
    "ATHLETE_EXPORTS",
    "CSV",
    "EXPORT_TIMES",
    "FIT",
    "GPX",
    "JSON",
    "RESULT_COLUMNS",
    "RESULT_EXPORTS",
    "TCX",
    "Avro",
    "JSONLines",
    "Parquet",
    "Read",
]
