"""How good predictions are: one file per metric."""

from platform_ml.metrics.average_precision import AveragePrecision
from platform_ml.metrics.brier import Brier
from platform_ml.metrics.log_loss import LogLoss
from platform_ml.metrics.mae import MAE
from platform_ml.metrics.r2 import R2
from platform_ml.metrics.rmse import RMSE
from platform_ml.metrics.roc_auc import RocAuc

__all__ = ["MAE", "R2", "RMSE", "AveragePrecision", "Brier", "LogLoss", "RocAuc"]
