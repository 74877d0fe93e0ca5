"""Where sources are delivered: one file per kind of place."""

from platform_ml.origins.files import Files
from platform_ml.origins.sql import SQL

__all__ = ["SQL", "Files"]
