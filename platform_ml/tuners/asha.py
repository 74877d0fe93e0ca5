"""Successive halving: at each rung only the best share of the trials goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.tuner import Floors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.tuner import TriedParams


@dataclass(frozen=True, kw_only=True)
class Asha:
    """Stop a trial that is not among the best 1/`reduction` of those that reached its rung.

    Asynchronous successive halving (Li et al. 2018, algorithm 2), in which trials that were drawn together do not see
    each other.
    """

    first_rung: int = 20
    """Steps until the first rung; each later one is `reduction` times as far."""
    reduction: int = 4

    def __post_init__(self) -> None:
        if self.first_rung < 1 or self.reduction < 2:  # noqa: PLR2004 - of one, all go on
            raise DeclarationError(f"{self!r} is out of bounds. Use at least 1 step and a reduction of at least 2.")

    def rungs(self, steps: int) -> list[int]:
        """The steps, counted from 0, at which a trial of so many is judged."""
        found = []
        step = self.first_rung
        while step < steps:
            found.append(step)
            step *= self.reduction
        return found

    def floors(self, tried: Sequence[TriedParams]) -> Floors:
        """The score at each rung that still belongs to the best share."""
        at = {}
        for step in self.rungs(max((len(trial.steps) for trial in tried), default=0)):
            reached = sorted((trial.steps[step] for trial in tried if len(trial.steps) > step), reverse=True)
            place = max((len(reached) + 1) // self.reduction - 1, 0)
            if place < len(reached):
                at[step] = reached[place]
        return Floors(at=at)
