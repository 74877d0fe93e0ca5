"""Where sources are delivered: one file per kind of place."""

from platform_ml.origins.files import Files

__all__ = ["Files"]
