"""What rows are held against beside their columns: one file per check."""

from platform_ml.checks.allowed import Allowed
from platform_ml.checks.between_splits import BetweenSplits
from platform_ml.checks.chi_square import ChiSquare
from platform_ml.checks.complete import Complete
from platform_ml.checks.fresh import Fresh
from platform_ml.checks.in_range import InRange
from platform_ml.checks.jensen_shannon import JensenShannon
from platform_ml.checks.kolmogorov_smirnov import KolmogorovSmirnov
from platform_ml.checks.pandera_rule import PanderaRule
from platform_ml.checks.psi import PSI
from platform_ml.checks.references import References
from platform_ml.checks.rule import Rule
from platform_ml.checks.unique import Unique
from platform_ml.checks.volume import Volume
from platform_ml.checks.wasserstein import Wasserstein

__all__ = [
    "PSI",
    "Allowed",
    "BetweenSplits",
    "ChiSquare",
    "Complete",
    "Fresh",
    "InRange",
    "JensenShannon",
    "KolmogorovSmirnov",
    "PanderaRule",
    "References",
    "Rule",
    "Unique",
    "Volume",
    "Wasserstein",
]
