"""How good predictions are: one file per metric."""

from platform_ml.metrics.accuracy import Accuracy
from platform_ml.metrics.average_precision import AveragePrecision
from platform_ml.metrics.balanced_accuracy import BalancedAccuracy
from platform_ml.metrics.binary_accuracy import BinaryAccuracy
from platform_ml.metrics.brier import Brier
from platform_ml.metrics.business_value import BusinessValue
from platform_ml.metrics.error_cost import ErrorCost
from platform_ml.metrics.expected_calibration_error import ExpectedCalibrationError
from platform_ml.metrics.f1 import F1
from platform_ml.metrics.log_loss import LogLoss
from platform_ml.metrics.macro_f1 import MacroF1
from platform_ml.metrics.macro_roc_auc import MacroRocAuc
from platform_ml.metrics.mae import MAE
from platform_ml.metrics.mape import MAPE
from platform_ml.metrics.mean_average_precision import MeanAveragePrecision
from platform_ml.metrics.mean_reciprocal_rank import MeanReciprocalRank
from platform_ml.metrics.mse import MSE
from platform_ml.metrics.multiclass_log_loss import MulticlassLogLoss
from platform_ml.metrics.ndcg import NDCG
from platform_ml.metrics.pinball import Pinball
from platform_ml.metrics.precision import Precision
from platform_ml.metrics.precision_at_k import PrecisionAtK
from platform_ml.metrics.r2 import R2
from platform_ml.metrics.recall import Recall
from platform_ml.metrics.recall_at_k import RecallAtK
from platform_ml.metrics.rmse import RMSE
from platform_ml.metrics.roc_auc import RocAuc
from platform_ml.metrics.simplified_silhouette import SimplifiedSilhouette

__all__ = [
    "F1",
    "MAE",
    "MAPE",
    "MSE",
    "NDCG",
    "R2",
    "RMSE",
    "Accuracy",
    "AveragePrecision",
    "BalancedAccuracy",
    "BinaryAccuracy",
    "Brier",
    "BusinessValue",
    "ErrorCost",
    "ExpectedCalibrationError",
    "LogLoss",
    "MacroF1",
    "MacroRocAuc",
    "MeanAveragePrecision",
    "MeanReciprocalRank",
    "MulticlassLogLoss",
    "Pinball",
    "Precision",
    "PrecisionAtK",
    "Recall",
    "RecallAtK",
    "RocAuc",
    "SimplifiedSilhouette",
]
