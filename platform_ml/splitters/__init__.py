"""How rows are divided into train, validation and test, and into folds: one file per splitter."""

from platform_ml.splitters.by_entity import ByEntity
from platform_ml.splitters.by_group_and_time import ByGroupAndTime
from platform_ml.splitters.by_hash import ByHash
from platform_ml.splitters.by_time import ByTime
from platform_ml.splitters.group_walk_forward import GroupWalkForward
from platform_ml.splitters.k_folds import KFolds
from platform_ml.splitters.purged_folds import PurgedFolds
from platform_ml.splitters.stratified import Stratified
from platform_ml.splitters.walk_forward import WalkForward

__all__ = [
    "ByEntity",
    "ByGroupAndTime",
    "ByHash",
    "ByTime",
    "GroupWalkForward",
    "KFolds",
    "PurgedFolds",
    "Stratified",
    "WalkForward",
]
