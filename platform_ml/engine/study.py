"""A study: trials drawn, run, written down and told, until the tuner or the time says stop."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from platform_ml.engine.pareto import caveat, chosen, front
from platform_ml.engine.proposals import Proposals
from platform_ml.engine.workers import workers
from platform_ml.spec.space import ranges
from platform_ml.spec.tuner import FINISHED, Floors, Search, TriedParams

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from platform_ml.engine.attempt import Attempt, Objective
    from platform_ml.engine.ports import Journal
    from platform_ml.engine.workers import Run
    from platform_ml.spec.family import Family
    from platform_ml.spec.metric import Goal
    from platform_ml.spec.tuner import Tuner, WarmStart


OUT_OF_TIME = "out of time"


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is searched, how, and where trials are written down."""

    name: str
    where: str
    """Names the search in messages."""
    family: Family
    tuner: Tuner
    goal: Goal
    seed: int
    warm_start: WarmStart | None = None
    journal: Journal | None = None
    """None: a search that is killed begins from the start."""
    told: Callable[[TriedParams], None] = field(default=lambda _: None)
    """Hears of every trial that ends."""

    def search(self, objective: Objective) -> Search:
        """Run the trials; `RowsError` when none of them is a model within the limits.

        A search that was killed is run again: proposals are drawn as before, and trials that the journal knows are not
        run again. What follows is drawn from the same trials, so it is what it would have been.
        """
        drawn = Proposals.of(
            self.tuner, self.family, name=self.name, goal=self.goal, seed=self.seed, warm=self.first_values()
        )
        kept, ended = Kept(journal=self.journal), ""
        tried = list[TriedParams]()
        parallel = min(self.tuner.parallel, self.tuner.trials) if ranges(self.family) else 1
        with workers(objective, parallel, self.where) as run:
            while not (ended := self.ended(tried, kept.elapsed())):
                attempts = drawn.ask(min(parallel, self.tuner.trials - len(tried)))
                floors = self.floors(tried)
                done = self._run(run, [replace(attempt, floors=floors) for attempt in attempts], kept)
                drawn.tell(done)
                tried += done
        return self.found(tried, ended)

    def first_values(self) -> dict[str, Any] | None:
        """The values that the first trial starts from; None: they are drawn."""
        if self.warm_start is None:
            return None
        return {name: self.warm_start.params[name] for name in ranges(self.family)}

    def found(self, tried: Sequence[TriedParams], ended: str, why: str = "") -> Search:
        """The best of them, and how it was chosen; `why` says what makes this search differ from another run."""
        objectives = self.tuner.objectives
        reasons = [why, caveat(objectives), "the time decided how many trials were run" if ended == OUT_OF_TIME else ""]
        return Search(
            trials=tuple(tried),
            best=chosen(self.where, tried, self.goal, objectives),
            front=front(tried, self.goal, objectives),
            ended=ended,
            warm_start=self.warm_start,
            caveat="; ".join(filter(None, reasons)),
        )

    def floors(self, tried: Sequence[TriedParams]) -> Floors:
        """What the next trials have to reach."""
        return self.tuner.pruner.floors(tried) if self.tuner.pruner else Floors()

    def ended(self, tried: Sequence[TriedParams], elapsed: float) -> str:
        """Why no further trial is run, or nothing."""
        if tried and not ranges(self.family):
            return "nothing to search: every other trial would be the first one again"
        if len(tried) >= self.tuner.trials:
            return f"all {self.tuner.trials} trials"
        if tried and self.tuner.seconds is not None and elapsed >= self.tuner.seconds:
            return OUT_OF_TIME
        sign = 1 if self.goal == "maximize" else -1
        return self.tuner.converged(
            [sign * trial.score for trial in tried if trial.score is not None and trial.state == FINISHED]
        )

    def _run(self, run: Run, attempts: Sequence[Attempt], kept: Kept) -> list[TriedParams]:
        done = {attempt.number: known for attempt in attempts if (known := kept.of(attempt))}
        for trial in run([attempt for attempt in attempts if attempt.number not in done]):
            kept.keep(trial)
            self.told(trial)
            done[trial.number] = trial
        return [done[number] for number in sorted(done)]


@dataclass(kw_only=True)
class Kept:
    """What the journal knows of the trials of a study, and how much of its time is spent."""

    journal: Journal | None
    known: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    """Those that were not asked for yet."""
    spent: float = 0.0
    start: float = field(default_factory=perf_counter)

    def __post_init__(self) -> None:
        for entry in self.journal.read() if self.journal else ():
            self.known.setdefault(entry["trial"]["number"], entry)

    def elapsed(self) -> float:
        """Seconds, as they were when the last known trial ended; from then on those before the interruption count."""
        return self.spent if self.known else self.spent + perf_counter() - self.start

    def of(self, attempt: Attempt) -> TriedParams | None:
        """What became of it before; None when it was not run, or did not end, or was another one."""
        entry = self.known.pop(attempt.number, None)
        if entry is None or entry["trial"]["params"] != plain(attempt.params):
            return None
        self.spent, self.start = max(self.spent, entry["elapsed"]), perf_counter()
        values = {**entry["trial"], "steps": tuple(entry["trial"]["steps"]), "params": attempt.params}
        return TriedParams(**values)

    def keep(self, trial: TriedParams) -> None:
        """Write it down, to stay."""
        if self.journal is not None:
            self.journal.append({"trial": plain(asdict(trial)), "elapsed": self.elapsed()})


def plain(value: Mapping[str, Any]) -> Any:
    """As JSON has it."""
    return json.loads(json.dumps(dict(value), allow_nan=False))
