"""The doorway: projects in, Dagster definitions out."""

import gc
import sys

import dagster  # noqa: F401 - first, for the next lines

if "duckdb" not in sys.modules:  # whose objects have to be let go before the process ends
    gc.freeze()  # what Dagster loaded stays for good: not searched for garbage while we load, nor at the end
from platform_ml.orchestration.build import definitions
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.projects import PROJECTS

defs = definitions(PROJECTS, PlatformResource())
