"""The median rule: a trial ends when it is worse than half of the others were at that step."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.tuner import FINISHED, Floors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.tuner import TriedParams


@dataclass(frozen=True, kw_only=True)
class Median:
    """Stop a trial whose best report so far is below the median of the finished ones at that step.

    Golovin et al. (2017), Vizier, section 3.2.2.
    """

    warmup_steps: int = 50
    """Reports that a trial may make before it can be stopped."""
    after_trials: int = 5
    """Finished trials that a median needs."""

    def __post_init__(self) -> None:
        if self.warmup_steps < 0 or self.after_trials < 1:
            raise DeclarationError(f"{self!r} is out of bounds. Use at least 0 steps and at least 1 trial.")

    def floors(self, tried: Sequence[TriedParams]) -> Floors:
        """The median at every step that a finished trial has reached."""
        curves = [trial.steps for trial in tried if trial.state == FINISHED]
        if len(curves) < self.after_trials:
            return Floors()
        steps = range(self.warmup_steps, max(map(len, curves)))
        at = {step: statistics.median(curve[step] for curve in curves if len(curve) > step) for step in steps}
        return Floors(at=at, best=True)
