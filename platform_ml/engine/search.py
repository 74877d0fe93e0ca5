"""The search of one family: trials, and the best of them fitted again."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from platform_ml.engine.latency import latency_ms
from platform_ml.engine.study import Study
from platform_ml.engine.tuning import Tuning, memory_errors
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.tuner import FAILED, FINISHED, STOPPED, Latency, Outcome, Size

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_ml.engine.fitting import Fitting
    from platform_ml.spec.family import Family, Predictor
    from platform_ml.spec.tuner import Search, Trial, TriedParams

ROUNDS = 3
"""Of measuring how long a prediction takes."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Fits trials on rows that are sent to a process once."""

    fitting: Fitting
    family: Family

    def __call__(self, trial: Trial) -> Outcome:
        """The metric on validation rows, and what else counts."""
        predictor, score = self.fitting.fit(self.family, trial.params(self.family), trial.report)
        wanted = {type(objective) for objective in self.fitting.model.tuner.objectives}
        return Outcome(
            score=score,
            latency_ms=self._latency_ms(predictor) if Latency in wanted else None,
            size_bytes=size_bytes(predictor) if Size in wanted else None,
        )

    def _latency_ms(self, predictor: Predictor) -> float:
        """p99 of one row as it is in the dataset; of the quickest round, for others had the machine to share."""
        deployed, rows = self.fitting.deployed(predictor), self.fitting.sample
        return min(latency_ms(deployed, rows)["p99"] for _ in range(ROUNDS))


def search(
    fitting: Fitting, family: Family, *, progress: Callable[[str], None], tuning: Tuning | None = None
) -> tuple[Predictor, Search]:
    """Search a family on train and validation rows, then fit the best parameters again.

    The second fit has to reach the score of the first: a family that cannot repeat itself is refused.

    Args:
        fitting: the rows.
        family: what is searched.
        progress: is told of every trial.
        tuning: where trials are written down and run, and what the first one begins with; None: all of it here.
    """
    model, tuning = fitting.model, tuning or Tuning()
    name = f"{tuning.project}/{model.name}" if tuning.project else model.name

    def told(trial: TriedParams) -> None:
        outcome = f"failed: {trial.reason}" if trial.state == FAILED else "stopped early"
        if trial.score is not None:
            outcome = f"{model.metric.title} {trial.score:.4f}"
        progress(f"{model.name}: trial {trial.number + 1} of {model.tuner.trials}: {outcome}")

    warm = tuning.beginning(family)
    if tuning.warm_start and not warm:
        progress(
            f"{model.name}: does not begin with model {tuning.warm_start.digest[:12]}, whose parameters are not in "
            f"today's ranges of {family.name!r}"
        )
    study = Study(
        name=model.name,
        where=f"{name}: the search of family {family.name!r} on dataset {model.dataset.name!r}",
        family=family,
        tuner=model.tuner,
        goal=model.metric.goal,
        seed=model.seed,
        warm_start=warm,
        journal=tuning.journal(model, family),
        told=told,
    )
    objective = Scored(fitting=fitting, family=family)
    with memory_errors(study.where):
        found = tuning.spread.search(study, objective) if tuning.spread else study.search(objective)
        predictor, again = fitting.fit(family, found.best.params)
    if again != found.best.score:
        tuning.done()  # trials of other code, if it is that: what they scored holds no more
        raise PlatformError(
            f"Model {model.name!r} cannot be repeated: the same parameters, seed and rows scored {found.best.score} "
            f"and then {again}. Look for randomness without a seed in family {family.name!r}."
        )
    return predictor, found


def size_bytes(predictor: Predictor) -> int:
    """Of the file that the model is saved as."""
    with TemporaryDirectory() as folder:
        return predictor.save(Path(folder)).stat().st_size


def search_account(found: Search) -> dict[str, Any]:
    """How a search ended, what it began with and how its model was chosen, as a record has it."""
    states = Counter(trial.state for trial in found.trials)
    return {
        "states": {FINISHED: states[FINISHED], STOPPED: states[STOPPED], FAILED: states[FAILED]},
        "ended": found.ended,
        "front": list(found.front),
        "warm_start": found.warm_start and asdict(found.warm_start),
        "caveat": found.caveat,
    }
