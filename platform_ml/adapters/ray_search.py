"""Ray's OptunaSearch, which proposes, remembers and writes down as a study on one machine does."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from platform_ml.engine.attempt import Attempt, params_of
from platform_ml.engine.proposals import directions, distributions
from platform_ml.spec.libraries import library
from platform_ml.spec.tuner import DRAWN, FINISHED, STOPPED, WARM, Floors, TriedParams

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.engine.study import Kept, Study
    from platform_ml.tuners import Asha

TRIED, SCORE, SIZE = "tried", "score", "size"
"""What a trial tells Ray: all that became of it, and its objectives."""
MOST_STEPS = 10**9


def told(trial: TriedParams) -> dict[str, Any]:
    """What became of a trial, as Ray carries it."""
    return {TRIED: json.dumps(asdict(trial)), SCORE: trial.score, SIZE: trial.size_bytes}


@dataclass(kw_only=True)
class Progress:
    """The trials of a study on Ray."""

    study: Study
    halving: Asha | None
    """Ray stops trials by this rule; None: the tuner's pruner does, with floors that each trial is given."""
    kept: Kept
    key: str = field(default_factory=lambda: uuid4().hex)
    """Tells its objective from that of another search in the same worker."""
    attempts: dict[str, Attempt] = field(default_factory=dict)
    """By Ray's name for them."""
    tried: dict[int, TriedParams] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    """Numbers of those that were run before an interruption."""
    ended: str = ""

    def in_order(self) -> list[TriedParams]:
        """The trials that are over."""
        return [self.tried[number] for number in sorted(self.tried)]

    def over(self) -> bool:
        """Whether no further trial is proposed."""
        self.ended = self.ended or self.study.ended(self.in_order(), self.kept.elapsed())
        return bool(self.ended)

    def begin(self, trial_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """What the worker of the next trial is told."""
        number = len(self.attempts)
        attempt = Attempt(
            number=number,
            values=values,
            params=params_of(self.study.family, values),
            origin=DRAWN if number or self.study.warm_start is None else WARM,
        )
        self.attempts[trial_id] = attempt
        known = self.kept.of(attempt)
        if known is not None:
            self.known.add(number)
        floors = Floors() if self.halving else self.study.floors(self.in_order())
        return {
            "study": self.key,
            "attempt": {name: value for name, value in vars(attempt).items() if name != "floors"},
            "floors": {str(step): floor for step, floor in floors.at.items()},
            "best": floors.best,
            "rungs": self.halving.rungs(MOST_STEPS) if self.halving else [],
            "known": told(known) if known else None,
        }

    def end(self, trial_id: str, result: Mapping[str, Any]) -> TriedParams:
        """Remember what became of a trial."""
        said = json.loads(result[TRIED])
        values = said | {"steps": tuple(said["steps"]), "params": self.attempts[trial_id].params}
        trial = TriedParams(**values)
        if trial.state == STOPPED and not trial.seconds:  # by Ray: it could not say how long it took
            trial = replace(trial, seconds=float(result["time_total_s"]))
        if trial.number not in self.known:
            self.kept.keep(trial)
            self.study.told(trial)
        self.tried[trial.number] = trial
        return trial


def optuna_search(progress: Progress) -> Any:
    """A search algorithm for Ray Tune that keeps `progress` up to date."""
    search = library("ray.tune.search", extra="ray", user="Ray Tune")
    base: Any = library("ray.tune.search.optuna", extra="ray", user="Ray Tune").OptunaSearch
    study, goal = progress.study, progress.study.goal
    modes = ["max" if way == "maximize" else "min" for way in directions(study.tuner, goal)]
    several, first = len(modes) > 1, study.first_values()

    class Proposer(base):
        def suggest(self, trial_id: str) -> Any:
            if progress.over():
                return search.Searcher.FINISHED
            # A sampler that went on drawing could not be resumed: one that is new for each trial can.
            self._ot_study.sampler = study.tuner.sampler(study.seed + len(progress.attempts))
            return progress.begin(trial_id, super().suggest(trial_id))

        def on_trial_result(self, trial_id: str, result: Any) -> None:
            """What a trial reports on its way is told with its end."""

        def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:  # noqa: FBT001, FBT002 - as Ray calls it
            if error or not result:
                super().on_trial_complete(trial_id, None, error=True)
                return
            trial = progress.end(trial_id, result)
            if trial.state == FINISHED:
                super().on_trial_complete(trial_id, result)
                return
            stopped = trial.state == STOPPED and not several
            for step, score in enumerate(trial.steps if stopped else ()):
                self._ot_trials[trial_id].report(score if goal == "maximize" else -score, step)
            super().on_trial_complete(trial_id, None, error=not stopped)

        def save(self, checkpoint_path: str) -> None:
            """Leave nothing in Ray's own checkpoints: the journal has every trial, in a format that runs no code."""
            Path(checkpoint_path).write_text("", encoding="ascii")

    return Proposer(
        space=distributions(study.family),
        metric=[SCORE, SIZE] if several else SCORE,
        mode=modes if several else modes[0],
        points_to_evaluate=None if first is None else [first],
        sampler=study.tuner.sampler(study.seed),
        study_name=study.name,
    )
