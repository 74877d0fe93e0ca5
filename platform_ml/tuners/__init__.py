"""Ways to search hyper-parameters, to stop trials early, and what counts beside quality: one file each."""

from platform_ml.spec.tuner import Latency, Size
from platform_ml.tuners.asha import Asha
from platform_ml.tuners.gp import GP, Convergence
from platform_ml.tuners.median import Median
from platform_ml.tuners.random import Random
from platform_ml.tuners.tpe import TPE

__all__ = ["GP", "TPE", "Asha", "Convergence", "Latency", "Median", "Random", "Size"]
