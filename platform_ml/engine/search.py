"""The search of one family: trials, and the best of them fitted again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_ml.engine.fitting import Fitting
    from platform_ml.spec.family import Family, Predictor
    from platform_ml.spec.tuner import Search, Trial


def search(fitting: Fitting, family: Family, *, progress: Callable[[str], None]) -> tuple[Predictor, Search]:
    """Search a family on train and validation rows, then fit the best parameters again.

    The second fit has to reach the score of the first: a family that cannot repeat itself is refused.
    """
    model = fitting.model

    def objective(trial: Trial) -> float:
        outcome = "stopped early"
        try:
            _, score = fitting.fit(family, trial.params(family), trial.report)
            outcome = f"{model.metric.title} {score:.4f}"
        finally:
            progress(f"{model.name}: trial {trial.number + 1} of {model.tuner.trials}: {outcome}")
        return score

    found = model.tuner.search(objective, name=model.name, goal=model.metric.goal, seed=model.seed)
    predictor, again = fitting.fit(family, found.best.params)
    if again != found.best.score:
        raise PlatformError(
            f"Model {model.name!r} cannot be repeated: the same parameters, seed and rows scored {found.best.score} "
            f"and then {again}. Look for randomness without a seed in family {family.name!r}."
        )
    return predictor, found
