"""Random search: what every cleverer way has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.tuners.sampled import Sampled

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True, kw_only=True)
class Random(Sampled):
    """Every trial drawn from the ranges as if it were the first (Bergstra and Bengio 2012)."""

    def sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """Optuna's."""
        import optuna

        return optuna.samplers.RandomSampler(seed=seed)
