"""How good predictions are: one file per metric."""

from platform_ml.metrics.accuracy import Accuracy
from platform_ml.metrics.average_precision import AveragePrecision
from platform_ml.metrics.brier import Brier
from platform_ml.metrics.log_loss import LogLoss
from platform_ml.metrics.macro_f1 import MacroF1
from platform_ml.metrics.macro_roc_auc import MacroRocAuc
from platform_ml.metrics.mae import MAE
from platform_ml.metrics.mean_average_precision import MeanAveragePrecision
from platform_ml.metrics.mean_reciprocal_rank import MeanReciprocalRank
from platform_ml.metrics.multiclass_log_loss import MulticlassLogLoss
from platform_ml.metrics.ndcg import NDCG
from platform_ml.metrics.r2 import R2
from platform_ml.metrics.rmse import RMSE
from platform_ml.metrics.roc_auc import RocAuc

__all__ = [
    "MAE",
    "NDCG",
    "R2",
    "RMSE",
    "Accuracy",
    "AveragePrecision",
    "Brier",
    "LogLoss",
    "MacroF1",
    "MacroRocAuc",
    "MeanAveragePrecision",
    "MeanReciprocalRank",
    "MulticlassLogLoss",
    "RocAuc",
]
