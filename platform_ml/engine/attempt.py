"""One trial, run in whatever process: what it is told, what it reports, what becomes of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import RowsError
from platform_ml.spec.space import settings
from platform_ml.spec.tuner import FAILED, FINISHED, STOPPED, Floors, Outcome, TrialStopped, TriedParams

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.spec.family import Family
    from platform_ml.spec.tuner import Origin, State, Trial

    Objective = Callable[[Trial], float | Outcome]
    """Fits a trial and says what it is worth; one that is sent to other processes can be pickled."""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What a process has to know to run a trial: plain values."""

    number: int
    values: Mapping[str, Any]
    """One for each range of the family."""
    params: Mapping[str, Any]
    """All fields of the family."""
    origin: Origin = "drawn"
    floors: Floors = field(default_factory=Floors)


@dataclass(kw_only=True)
class Running:
    """A trial under way."""

    attempt: Attempt
    steps: list[float] = field(default_factory=list)
    heard: Callable[[int, float], None] | None = None
    """Who else is told each report; may raise `TrialStopped`."""

    @property
    def number(self) -> int:
        """Counts from 0."""
        return self.attempt.number

    def params(self, family: Family) -> dict[str, Any]:
        """The family's fields, each range replaced by its value."""
        return params_of(family, self.attempt.values)

    def report(self, step: int, score: float) -> None:
        """Remember the score; `TrialStopped` when it is no number or too poor."""
        if not math.isfinite(score):
            raise TrialStopped(f"step {step} scored {score}")
        self.steps.append(float(score))
        if self.attempt.floors.stop(self.steps):
            raise TrialStopped(f"below {self.attempt.floors.at[len(self.steps) - 1]:.6g} at step {step}")
        if self.heard is not None:
            self.heard(step, score)


def params_of(family: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """All hyper-parameters of a family, those with a value replaced."""
    return {name: values.get(name, value) for name, value in settings(family).items()}


def run_attempt(
    objective: Objective, attempt: Attempt, heard: Callable[[int, float], None] | None = None
) -> TriedParams:
    """Run a trial to its end.

    Rows that its parameters make nothing of fail the trial; any other error is nobody's result, and comes through.
    """
    running, start = Running(attempt=attempt, heard=heard), perf_counter()
    outcome: Outcome | None = None
    state: State = FINISHED
    reason = ""
    try:
        reached = objective(running)
    except TrialStopped as stopped:
        state, reason = STOPPED, str(stopped)
    except RowsError as error:
        state, reason = FAILED, str(error)
    else:
        outcome = reached if isinstance(reached, Outcome) else Outcome(score=float(reached))
        if not math.isfinite(outcome.score):
            outcome, state, reason = None, FAILED, "its metric was not defined"
    return TriedParams(
        number=attempt.number,
        params=attempt.params,
        score=outcome.score if outcome else None,
        steps=tuple(running.steps),
        seconds=perf_counter() - start,
        state=state,
        reason=reason,
        origin=attempt.origin,
        latency_ms=outcome.latency_ms if outcome else None,
        size_bytes=outcome.size_bytes if outcome else None,
    )
