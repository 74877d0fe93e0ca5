"""When a model is trained again: one file per trigger."""

from platform_ml.triggers.degraded import Degraded
from platform_ml.triggers.drifted import Drifted
from platform_ml.triggers.every import Every
from platform_ml.triggers.new_labels import NewLabels

__all__ = ["Degraded", "Drifted", "Every", "NewLabels"]
