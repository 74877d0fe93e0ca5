"""For whom: declarations only. A new project is a folder here and a line in PROJECTS, or a YAML file here."""

from pathlib import Path

from platform_ml.documents import yaml_projects
from platform_ml.projects.athlete import athlete
from platform_ml.projects.flights import flights
from platform_ml.projects.mortgage import mortgage
from platform_ml.projects.retail import retail

PROJECTS = (retail, flights, mortgage, athlete, *yaml_projects(Path(__file__).parent))
