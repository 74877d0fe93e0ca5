"""The doorway: projects in, Dagster definitions out."""

from platform_ml.orchestration.build import definitions
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.projects import PROJECTS

defs = definitions(PROJECTS, PlatformResource())
