"""Bayesian optimisation: a Gaussian process over the trials says where an improvement is to be expected."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.libraries import library
from platform_ml.tuners.sampled import Sampled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import optuna

MOST_TRIALS = 100
"""The work of one proposal grows with the cube of the trials before it."""


@dataclass(frozen=True, kw_only=True)
class Convergence:
    """The search ends when the best score stands still.

    Of the distance from the median trial to the best one, the last `trials` finished trials added `tolerance` or less.
    Being a ratio, it means the same for any metric and unit.
    """

    trials: int = 20
    tolerance: float = 0.01

    def __post_init__(self) -> None:
        if self.trials < 1 or not 0 <= self.tolerance < 1:
            raise DeclarationError(
                f"{self!r} is out of bounds. Use at least 1 trial, and a tolerance from 0 to below 1."
            )


@dataclass(frozen=True, kw_only=True)
class GP(Sampled):
    """Optuna's Gaussian process sampler (Matérn kernel, log expected improvement), until it converges."""

    trials: int = MOST_TRIALS
    startup_trials: int = 10
    """Drawn at random before the first process is fitted."""
    convergence: Convergence | None = Convergence()
    """When to stop before the last trial; None: never."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.trials > MOST_TRIALS:
            raise DeclarationError(
                f"GP: trials={self.trials} is out of bounds. Use at most {MOST_TRIALS}, or TPE for longer searches."
            )

    def sampler(self, seed: int) -> optuna.samplers.BaseSampler:
        """Optuna's, which fits its process with torch."""
        import optuna

        library("torch", extra="deep", user="The tuner GP")
        return optuna.samplers.GPSampler(seed=seed, n_startup_trials=self.startup_trials)

    def converged(self, scores: Sequence[float]) -> str:
        """What was gained lately, and the tolerance."""
        rule = self.convergence
        if rule is None or len(scores) < self.startup_trials + rule.trials:
            return ""
        best, before = max(scores), max(scores[: -rule.trials])
        distance = best - median(scores)
        gained = (best - before) / distance if distance > 0 else 0.0
        if gained > rule.tolerance:
            return ""
        return (
            f"converged: the last {rule.trials} finished trials added {gained:.2%} of the distance from the median "
            f"trial to the best, and {rule.tolerance:.2%} is the tolerance"
        )
