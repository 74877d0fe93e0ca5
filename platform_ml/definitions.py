"""The doorway: projects in, Dagster definitions out."""

import gc

import dagster  # noqa: F401 - first, for the next line

gc.freeze()  # what Dagster loaded is not searched for garbage while we load
from platform_ml.orchestration.build import definitions  # noqa: E402
from platform_ml.orchestration.resources import PlatformResource  # noqa: E402
from platform_ml.projects import PROJECTS  # noqa: E402

defs = definitions(PROJECTS, PlatformResource())
gc.unfreeze()
