"""Imported once by the process that steps are forked from, so that no step waits for these libraries.

Nothing here may start a thread or open a file: the Delta and MLflow libraries stay out for that reason.
"""

import duckdb
import pandas as pd
import pyarrow as pa

__all__ = ["duckdb", "pa", "pd"]
