"""What the tracker is told beside the model itself: the families that lost to it, and its folds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from platform_ml.engine.tracked import TrackedRun
from platform_ml.engine.tracked_run import FIT, SEARCH, run_name, trial_runs
from platform_ml.spec.space import ranges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from platform_ml.engine.contest import Contest, Entrant, Found
    from platform_ml.engine.cross_validation import CrossValidated
    from platform_ml.engine.tuned_model import Trained

FOLDS = "cv_score"
"""The curve of a model's metric over its folds; those without a score are left out."""


def with_contest(run: TrackedRun, trained: Trained) -> TrackedRun:
    """The run of a model with a run below it for every family that lost, and with what its folds say."""
    if trained.folds is not None:
        scores = trained.folds.scores
        run = replace(run, metrics={**run.metrics, **fold_metrics(trained.folds)}, curves={**run.curves, FOLDS: scores})
    if trained.contest is not None:
        run = replace(run, children=[*run.children, *_lost(run, trained, trained.contest)])
    return run


def fold_metrics(folds: CrossValidated) -> dict[str, float]:
    """Mean and spread, where there are any, and how many folds could be scored."""
    known = {"cv_mean": folds.mean, "cv_std": folds.std, "cv_folds": float(len(folds.scores))}
    return {name: value for name, value in known.items() if value is not None}


def _lost(run: TrackedRun, trained: Trained, contest: Contest) -> Iterator[TrackedRun]:
    started = run.started
    for one in contest.entrants:
        if one.found is not None:
            if one.name != contest.chosen:
                yield _rival(run, trained, contest, one, one.found, started)
            started += int(one.found.seconds * 1e6)


def _rival(run: TrackedRun, trained: Trained, contest: Contest, one: Entrant, found: Found, started: int) -> TrackedRun:
    model = contest.model.alone(one.name)
    kind = SEARCH if ranges(model.family) else FIT
    tags = {name: str(value) for name, value in run.tags.items() if name in ("model", "cutoff", "dataset_digest")}
    its = replace(trained, predictor=found.predictor, search=found.search, contest=None)
    key = f"{run.key}/rival/{one.name}"
    score = {f"validation_{model.metric.name}": found.value, "trials": float(len(found.search.trials))}
    measured = {f"latency_{name}_ms": value for name, value in found.latency_ms.items()}
    return TrackedRun(
        name=run_name(kind, one.name),
        experiment=run.experiment,
        key=key,
        part="training",
        params={"family": model.family.name, "seed": model.seed, **found.search.best.params},
        metrics={**score, **measured, "size_bytes": float(found.size_bytes)},
        tags={
            **run.tags,
            "kind": kind,
            "candidate": "false",
            "lost_to": contest.chosen,
            "best_trial": str(found.search.best.number),
            "intent": f"Compete for {contest.model.name}. {one.out}".strip(),
        },
        datasets=run.datasets,
        children=trial_runs(model, its, key=key, experiment=run.experiment, tags=tags, started=started),
        started=started,
        seconds=found.seconds,
    )
