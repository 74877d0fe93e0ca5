"""How good predictions are: one file per metric."""

from platform_ml.metrics.average_precision import AveragePrecision
from platform_ml.metrics.brier import Brier
from platform_ml.metrics.log_loss import LogLoss
from platform_ml.metrics.roc_auc import RocAuc

__all__ = ["AveragePrecision", "Brier", "LogLoss", "RocAuc"]
