"""Which trials are worth having when more than quality counts, and which one is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.errors import RowsError
from platform_ml.spec.tuner import FINISHED, Latency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.metric import Goal
    from platform_ml.spec.tuner import Objective, TriedParams


def front(tried: Sequence[TriedParams], goal: Goal, objectives: Sequence[Objective]) -> tuple[int, ...]:
    """Numbers of the finished trials than which none is at least as good in all objectives and better in one.

    Empty where quality is the only objective.
    """
    if not objectives:
        return ()
    points = {trial.number: _point(trial, goal, objectives) for trial in tried if trial.state == FINISHED}

    def beaten(point: tuple[float, ...]) -> bool:
        return any(
            other != point and all(a <= b for a, b in zip(other, point, strict=True)) for other in points.values()
        )

    return tuple(number for number, point in points.items() if not beaten(point))


def chosen(where: str, tried: Sequence[TriedParams], goal: Goal, objectives: Sequence[Objective]) -> TriedParams:
    """The best quality within the limits, the earliest of equals; `RowsError` when there is none."""
    finished = [trial for trial in tried if trial.state == FINISHED]
    if not finished:
        reason = next((trial.reason.rstrip(".") for trial in tried if trial.reason), "it was stopped")
        raise RowsError(
            f"{where} ended without a score: none of {len(tried)} trials came to its end, the first because: "
            f"{reason}. Look at the validation split, which needs rows of different outcomes, and at the ranges of the "
            "family."
        )
    fitting = [trial for trial in finished if all(_within(trial, objective) for objective in objectives)]
    if not fitting:
        limits = [objective for objective in objectives if objective.at_most is not None]
        least = [min(_measured(trial, objective) for trial in finished) for objective in limits]
        said = [
            f"{item.measured} <= {item.at_most:g} (the least was {value:.6g})"
            for item, value in zip(limits, least, strict=True)
        ]
        raise RowsError(
            f"{where} ended without a model within its limits: none of {len(finished)} finished trials has "
            f"{' and '.join(said)}. Raise a limit, or let the ranges of the family reach smaller models."
        )
    return min(fitting, key=lambda trial: (_cost(trial, goal), trial.number))


def caveat(objectives: Sequence[Objective]) -> str:
    """Why the choice may differ in another run, or nothing."""
    if any(isinstance(objective, Latency) and objective.at_most is not None for objective in objectives):
        return "latency is measured: near its limit another run may choose another trial"
    return ""


def _point(trial: TriedParams, goal: Goal, objectives: Sequence[Objective]) -> tuple[float, ...]:
    """The less, the better."""
    return _cost(trial, goal), *(_measured(trial, objective) for objective in objectives)


def _cost(trial: TriedParams, goal: Goal) -> float:
    if trial.score is None:
        return float("inf")
    return -trial.score if goal == "maximize" else trial.score


def _within(trial: TriedParams, objective: Objective) -> bool:
    return objective.at_most is None or _measured(trial, objective) <= objective.at_most


def _measured(trial: TriedParams, objective: Objective) -> float:
    value = getattr(trial, objective.measured)
    return float("inf") if value is None else float(value)
