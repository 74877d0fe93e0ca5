"""Ray Tune: the trials of a study, spread over a cluster."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from platform_ml.adapters.ray_search import MOST_STEPS, Progress, optuna_search, told
from platform_ml.engine.attempt import Attempt, run_attempt
from platform_ml.engine.study import Kept
from platform_ml.spec.libraries import library
from platform_ml.spec.space import ranges
from platform_ml.spec.tuner import STOPPED, Floors, TriedParams
from platform_ml.tuners import Asha

if TYPE_CHECKING:
    from collections.abc import Iterator

    from platform_ml.engine.attempt import Objective
    from platform_ml.engine.study import Study
    from platform_ml.spec.tuner import Search

STEP, REPORT = "step", "report"
"""What Ray's ASHA is told at each rung."""
SETTINGS = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # the last report of a trial has its score, and is at no rung
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}

_OBJECTIVES: dict[str, Objective] = {}
"""Of a worker: kept for later trials of the study, so that its data matrices are built once."""


@dataclass(frozen=True, kw_only=True)
class RayTune:
    """The same search on Ray: OptunaSearch with the tuner's sampler, as many trials at once as the tuner says.

    Trials are drawn and judged together in batches, so that they are those of a search on one machine, one for one.
    """

    asynchronous: bool = False
    """Start a trial whenever one ends, and let Ray's ASHA stop them when the tuner's pruner is `Asha`.

    Keeps all workers busy, and differs from run to run: what is drawn and stopped depends on which trial is first.
    """

    def search(self, study: Study, objective: Objective) -> Search:
        """Run the trials on the cluster of RAY_ADDRESS, or on one that is started on this machine and stopped again."""
        ray = library("ray", extra="ray", user="A search on Ray")
        if not ranges(study.family):
            return study.search(objective)
        pruner = study.tuner.pruner
        progress = Progress(
            study=study,
            halving=pruner if self.asynchronous and isinstance(pruner, Asha) else None,
            kept=Kept(journal=study.journal),
        )
        with _cluster(ray), TemporaryDirectory(prefix="platform_ml_ray_", ignore_cleanup_errors=True) as folder:
            self._run(progress, objective, folder)
        progress.over()
        why = "trials were started and stopped as others ended" if self.asynchronous else ""
        return study.found(progress.in_order(), progress.ended, why)

    def _run(self, progress: Progress, objective: Objective, folder: str) -> None:
        tune = library("ray.tune", extra="ray", user="Ray Tune")
        search = library("ray.tune.search", extra="ray", user="Ray Tune")
        logger = library("ray.tune.logger", extra="ray", user="Ray Tune")
        tuner, batch = progress.study.tuner, not self.asynchronous
        limited = search.ConcurrencyLimiter(optuna_search(progress), max_concurrent=tuner.parallel, batch=batch)
        found = tune.Tuner(
            tune.with_resources(tune.with_parameters(fit, objective=objective), {"cpu": 1}),
            tune_config=tune.TuneConfig(
                search_alg=limited,
                scheduler=_scheduler(progress.halving),
                num_samples=tuner.trials,
                reuse_actors=True,
                trial_dirname_creator=str,
            ),
            run_config=tune.RunConfig(storage_path=folder, verbose=0, callbacks=[logger.JsonLoggerCallback()]),
        ).fit()
        for error in found.errors:
            raise getattr(error, "cause", None) or error


def fit(config: dict[str, Any], objective: Objective) -> None:
    """Run one trial in a worker of Ray."""
    tune = library("ray.tune", extra="ray", user="Ray Tune")
    if config["known"]:
        tune.report(config["known"])
        return
    own = _OBJECTIVES.setdefault(config["study"], objective)
    floors = Floors(at={int(step): floor for step, floor in config["floors"].items()}, best=config["best"])
    attempt = Attempt(**config["attempt"], floors=floors)
    rungs, steps = set(config["rungs"]), list[float]()

    def heard(step: int, score: float) -> None:
        steps.append(score)
        if len(steps) - 1 in rungs:
            so_far = TriedParams(
                number=attempt.number, params=attempt.params, score=None, steps=tuple(steps), seconds=0.0,
                state=STOPPED, reason=f"not among the best at step {step}", origin=attempt.origin,
            )  # fmt: skip
            tune.report({STEP: len(steps) - 1, REPORT: score, **told(so_far)})

    tune.report(told(run_attempt(own, attempt, heard if rungs else None)))


def _scheduler(halving: Asha | None) -> Any:
    schedulers = library("ray.tune.schedulers", extra="ray", user="Ray Tune")
    if halving is None:
        return schedulers.FIFOScheduler()
    return schedulers.ASHAScheduler(
        time_attr=STEP,
        metric=REPORT,
        mode="max",
        grace_period=halving.first_rung,
        reduction_factor=halving.reduction,
        max_t=MOST_STEPS,
    )


@contextmanager
def _cluster(ray: Any) -> Iterator[None]:
    """The cluster that is there, or one for as long as it is needed."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if ray.is_initialized():
        yield
        return
    ray.init(address=os.environ.get("RAY_ADDRESS"), include_dashboard=False, log_to_driver=False)
    try:
        yield
    finally:
        ray.shutdown()
