"""What only so many steps may do at a time, in all runs together; dagster.yaml says how many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.evaluation import Evaluation
from platform_ml.spec.feature_selection import FeatureSelection
from platform_ml.spec.leader_board import LeaderBoard
from platform_ml.spec.tuned_model import TunedModel

if TYPE_CHECKING:
    from platform_ml.spec.project import Noun

TRAINING = "training"
HEAVY = {TunedModel: TRAINING, FeatureSelection: TRAINING, LeaderBoard: TRAINING, Evaluation: TRAINING}
"""Kind of noun → its pool. Tables have none: they are bounded by the number of runs and by DuckDB's memory."""


def pool(noun: Noun) -> str | None:
    """The pool that a noun's step takes a place of; None where it needs none."""
    return HEAVY.get(type(noun))
