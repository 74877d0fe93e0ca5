"""The nouns of a project: what is predicted from what."""

from importlib import import_module
from typing import Any

from platform_ml.spec.ablation import Without
from platform_ml.spec.automation import Automation
from platform_ml.spec.backtest import Backtest
from platform_ml.spec.choice import Choice, Rival
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.energy import Energy
from platform_ml.spec.evaluation import Evaluation
from platform_ml.spec.event_label import Event, EventLabel
from platform_ml.spec.explanation import Explanation
from platform_ml.spec.feature_group import Derived, FeatureGroup, Lookup
from platform_ml.spec.feature_selection import FeatureSelection
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.history import AsOf, Committed, History, Mutations, PerRow, ValidTime
from platform_ml.spec.intervals import Conformal
from platform_ml.spec.label import Label
from platform_ml.spec.leak_audit import LeakAudit
from platform_ml.spec.model_card import ModelCard
from platform_ml.spec.project import Project
from platform_ml.spec.quality import Quality
from platform_ml.spec.registration import Registration
from platform_ml.spec.response import Response
from platform_ml.spec.retraining import Retraining
from platform_ml.spec.schedule import Schedule
from platform_ml.spec.schema import Boolean, Column, Decimal, Double, Integer, Text, Timestamp
from platform_ml.spec.scores import Scores
from platform_ml.spec.slicing import Bands, WeakSlices
from platform_ml.spec.source import Packaged, Simulated, Source
from platform_ml.spec.space import Between, Whole
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.tuned_model import Baseline, TunedModel
from platform_ml.spec.variant import variant
from platform_ml.spec.waiver import Approval, Waiver
from platform_ml.spec.window import Daily, Monthly, Weekly

__all__ = [
    "Approval",
    "AsOf",
    "Automation",
    "Backtest",
    "Bands",
    "Baseline",
    "Between",
    "Boolean",
    "Choice",
    "Column",
    "Committed",
    "Complexity",
    "Conformal",
    "Daily",
    "Decimal",
    "Derived",
    "Double",
    "Energy",
    "Evaluation",
    "Event",
    "EventLabel",
    "Explanation",
    "FeatureGroup",
    "FeatureSelection",
    "FeatureView",
    "History",
    "Integer",
    "Label",
    "LeakAudit",
    "Lookup",
    "ModelCard",
    "Monthly",
    "Mutations",
    "Packaged",
    "PerRow",
    "Project",
    "Quality",
    "Registration",
    "Response",
    "Retraining",
    "Rival",
    "Schedule",
    "Scores",
    "Simulated",
    "Source",
    "Text",
    "Timestamp",
    "TrainingDataset",
    "TunedModel",
    "ValidTime",
    "Waiver",
    "WeakSlices",
    "Weekly",
    "Whole",
    "Without",
    "variant",
]


def __getattr__(name: str) -> Any:
    """`TabularProject`, by which a YAML file names its type: it knows Dagster, so it is loaded when it is asked for."""
    if name == "TabularProject":
        return import_module("platform_ml.orchestration.component").TabularProject
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
