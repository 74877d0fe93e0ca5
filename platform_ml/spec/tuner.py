"""What a way to search hyper-parameters promises, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.spec.family import Family
    from platform_ml.spec.metric import Goal


class Tuner(Protocol):
    """A way to search the ranges of a family."""

    @property
    def trials(self) -> int:
        """How many fits are tried."""
        ...

    def search(self, objective: Callable[[Trial], float], *, name: str, goal: Goal, seed: int) -> Search:
        """Run the trials; deterministic for a seed."""
        ...


class Trial(Protocol):
    """One fit of a search."""

    @property
    def number(self) -> int:
        """Counts from 0."""
        ...

    def params(self, family: Family) -> dict[str, Any]:
        """The family's fields with a value drawn from each range."""
        ...

    def report(self, step: int, score: float) -> None:
        """Tell an intermediate score, the greater the better; raises to stop a trial that is not worth finishing."""
        ...


@dataclass(frozen=True, kw_only=True)
class TriedParams:
    """What became of one trial."""

    number: int
    params: Mapping[str, Any]
    score: float | None
    """None when the trial was stopped before its end."""
    steps: tuple[float, ...]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Search:
    """All trials and the best of them."""

    trials: tuple[TriedParams, ...]
    best: TriedParams
