"""Groups of assets: the layers of a project, so that the graph of groups reads as the path of its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.label import Label
from platform_ml.spec.scores import Scores
from platform_ml.spec.source import Source
from platform_ml.spec.training_dataset import TrainingDataset

if TYPE_CHECKING:
    from platform_ml.spec.project import Noun, Project

SOURCES, FEATURES, DATASETS, MODELS, SCORES, OVERVIEW = (
    "sources",
    "features",
    "datasets",
    "models",
    "scores",
    "overview",
)
LAYERS = (SOURCES, FEATURES, DATASETS, MODELS, SCORES, OVERVIEW)
"""What a project's groups are called, upstream first; the last one lists what is in the others."""


def layer(noun: Noun) -> str:
    """What a declaration is a step of: labels and views are steps towards a dataset, all from there on to a model."""
    match noun:
        case Source():
            return SOURCES
        case FeatureGroup():
            return FEATURES
        case Label() | EventLabel() | FeatureView() | TrainingDataset():
            return DATASETS
        case Scores():
            return SCORES
        case _:
            return MODELS


def group(project: Project, name: str) -> str:
    """The group of a layer: groups of all projects share one list, so the project comes first."""
    return f"{project.name}_{name}"
