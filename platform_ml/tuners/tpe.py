"""Tree-structured Parzen estimator: try next what resembles the good trials more than the poor ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.tuners.sampled import Sampled

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True, kw_only=True)
class TPE(Sampled):
    """Optuna's TPE sampler (Bergstra et al. 2011)."""

    startup_trials: int = 10
    """Drawn at random before the first comparison."""

    def sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """Optuna's, which takes trials under way for poor ones."""
        import optuna

        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=self.startup_trials)
