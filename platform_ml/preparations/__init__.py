"""What is done to features before a model sees them: one file per preparation."""

from platform_ml.preparations.clip import Clip
from platform_ml.preparations.erase import Erase
from platform_ml.preparations.frequency import Frequency
from platform_ml.preparations.impute import Impute
from platform_ml.preparations.scale import Scale

__all__ = ["Clip", "Erase", "Frequency", "Impute", "Scale"]
