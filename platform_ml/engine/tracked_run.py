"""What the tracker is told of a model: how it was found, from what, by whom, and how good it is."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from platform_ml.engine import preparation
from platform_ml.engine.conditions import here
from platform_ml.engine.content import file_sha256
from platform_ml.engine.seeds import seeds
from platform_ml.engine.tracked import TrackedDataset, TrackedRun, now_us
from platform_ml.spec.fingerprint import digest, fingerprint, meaning
from platform_ml.spec.space import Range, ranges, settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.tuned_model import Trained
    from platform_ml.spec.family import Family
    from platform_ml.spec.tuned_model import Baseline, TunedModel
    from platform_ml.spec.tuner import TriedParams

STEPS = "step_score"
"""The curve of a trial in the tracker: what its family reported step by step, the greater the better."""
POINTS = 10
"""Of the curve of a trial, at most; the model's own curve and the file `search.json` have every step."""
SEARCH, FIT, TRIAL, BASELINE, ABLATION = "search", "fit", "trial", "baseline", "ablation"
"""What a run was made for, its tag `kind`: a search, one fit without ranges, or what belongs to one of these."""
KINDS = (SEARCH, FIT, BASELINE, ABLATION)
"""The runs that are compared with each other; trials belong to their search."""
NAMES = {SEARCH: "sweep", FIT: "train", BASELINE: "baseline", ABLATION: "ablation"}
"""How the names of runs begin: they say the intent."""


def run_key(model_digest: str) -> str:
    """What the run of a model is recorded under."""
    return f"model-{model_digest}"


def baseline_key(model_digest: str, name: str) -> str:
    """What the run of a model's baseline is recorded under."""
    return f"{run_key(model_digest)}/baseline/{name}"


def run_name(kind: str, what: str) -> str:
    """The intent first.

    >>> run_name("search", "xgboost"), run_name("ablation", "no-recency")
    ('sweep-xgboost', 'ablation-no-recency')
    """
    return f"{NAMES[kind]}-{what}"


def model_run(
    model: TunedModel,
    trained: Trained,
    *,
    model_digest: str,
    folder: Path,
    dataset: Artifact,
    experiment: str,
    tags: Mapping[str, Any],
    started: int,
) -> TrackedRun:
    """One run for the model, one below it for every trial and every baseline.

    Args:
        model: as it was declared.
        trained: what came of the search.
        model_digest: what the model is called.
        folder: where its files lie.
        dataset: what it was trained on.
        experiment: the project.
        tags: who made it, where, from which code, for which cutoff.
        started: when the search began, microseconds since 1970, UTC.
    """
    search, key = trained.search, run_key(model_digest)
    kind = SEARCH if ranges(trained.family) else FIT
    said = {name: str(value) for name, value in tags.items()} | dataset_tags(model, dataset) | {"model": model.name}
    said |= made_under(model, folder)
    return TrackedRun(
        name=run_name(kind, trained.name),
        experiment=experiment,
        key=key,
        part="training",
        params={
            **_declared(model.alone(trained.name)),
            **_split_params(dataset),
            **trained.params,
            "architecture": architecture(model.family, trained.params),
        },
        metrics={f"validation_{model.metric.name}": trained.score, "trials": len(search.trials)}
        | {"search_seconds": sum(trial.seconds for trial in search.trials)}
        | {f"training_{name}": value for name, value in getattr(trained.predictor, "training_profile", {}).items()},
        tags={"intent": model.description, "description": model.description}
        | said
        | {"kind": kind, "candidate": "true", "best_trial": str(search.best.number), "main_metric": model.metric.name}
        | {"search_ended": search.ended, "search_caveat": search.caveat}
        | ({"warm_start": search.warm_start.digest} if search.warm_start else {})
        | {f"goal.{model.metric.name}": model.metric.goal},
        artifacts={f"model/{file.name}": file for file in sorted(folder.iterdir())},
        curves={STEPS: search.best.steps},
        datasets=[tracked_dataset(experiment, model, dataset, said)],
        children=[
            *trial_runs(model, trained, key=key, experiment=experiment, tags=said, started=started),
            *(_baseline(model, one, model_digest, dataset, experiment, said, folder) for one in model.baselines),
        ],
        started=started,
        seconds=(now_us() - started) / 1e6,
    )


def dataset_tags(model: TunedModel, dataset: Artifact) -> dict[str, str]:
    """Which rows, which features: names, versions and hashes."""
    view = model.dataset.view
    return {
        "dataset": model.dataset.name,
        "dataset_digest": dataset.digest,
        "dataset_content": str(dataset.record.get("content", "")),
        "features_hash": digest({"view": fingerprint(view), "features": list(view.feature_names)}),
    }


def made_under(model: TunedModel, folder: Path) -> dict[str, str]:
    """How the rows were sampled and prepared, and the conditions of the fit."""
    found = dict(here())
    libraries = found.pop("libraries")
    fitted = folder / preparation.FILE
    prepared = {"declared": meaning(model.preparations), "fitted": file_sha256(fitted) if fitted.is_file() else ""}
    return {
        "sampling": _sampling(model),
        "preprocessing_hash": digest(prepared),
        **{f"fit.{name}": str(value) for name, value in found.items()},
        "fit.libraries": ", ".join(f"{name}=={version}" for name, version in libraries.items()),
    }


def architecture(family: Family, params: Mapping[str, Any]) -> str:
    """The kind of model with every setting.

    >>> from platform_ml.families import Persistence
    >>> architecture(Persistence(feature="amount"), {"feature": "amount"})
    "persistence(feature='amount')"
    """
    return f"{family.name}({', '.join(f'{name}={value!r}' for name, value in params.items())})"


def tracked_dataset(experiment: str, model: TunedModel, dataset: Artifact, tags: Mapping[str, str]) -> TrackedDataset:
    """The training dataset as an input of a run, with its split and with how it was sampled and prepared."""
    splits = dataset.record.get("split", {}).get("splits", {})
    return TrackedDataset(
        name=f"{experiment}/{model.dataset.name}",
        digest=dataset.digest,
        source=f"{model.dataset.name}@{dataset.digest[:12]}",
        context="training",
        columns=dataset.record.get("columns", {}),
        rows=sum(split["rows"] for split in splits.values()),
        about={name: tags[name] for name in ("sampling", "preprocessing_hash", "dataset_content")}
        | {name: str(value) for name, value in _split_params(dataset).items()},
    )


def _declared(model: TunedModel) -> dict[str, Any]:
    """Seed, tuner and search space: what was asked for, apart from what was found."""
    space = {
        f"space.{name}": f"{value.low} to {value.high}{', log' if getattr(value, 'log', False) else ''}"
        for name, value in ranges(model.family).items()
        if isinstance(value, Range)
    }
    tuner = {item.name: getattr(model.tuner, item.name) for item in fields(model.tuner)}  # type: ignore[arg-type]
    named = {"family": model.family.name, **seeds(model.seed), "tuner": type(model.tuner).__name__}
    more = {
        f"declared.{item.name}": json.dumps(meaning(getattr(model, item.name)))
        for item in fields(model)
        if item.metadata.get("added") and getattr(model, item.name) != item.default
    }
    return named | more | space | {f"tuner.{name}": value for name, value in tuner.items()}


def _split_params(dataset: Artifact) -> dict[str, Any]:
    split = dataset.record.get("split", {})
    rows = {f"rows.{name}": part["rows"] for name, part in split.get("splits", {}).items()}
    known = {f"split.{name}": split[name] for name in ("rule", "gap_days", "history_days") if name in split}
    return known | rows


def _sampling(model: TunedModel) -> str:
    """Which rows of the training split were learned from, and how much each counted."""
    weight = model.positive_weight
    return "every row once" if weight is None else f"every row once, those with label 1 weighing {weight}"


def trial_runs(
    model: TunedModel, trained: Trained, *, key: str, experiment: str, tags: Mapping[str, str], started: int
) -> list[TrackedRun]:
    """One after the other, as they ran."""
    some = {name: tags[name] for name in ("model", "cutoff", "dataset", "dataset_digest") if name in tags}
    made, moment = [], started
    for trial in trained.search.trials:
        made.append(
            _trial(model, trial, key=f"{key}/trial/{trial.number}", experiment=experiment, tags=some, at=moment)
        )
        moment += int(trial.seconds * 1e6)
    return made


def _trial(
    model: TunedModel, trial: TriedParams, *, key: str, experiment: str, tags: Mapping[str, str], at: int
) -> TrackedRun:
    every = -(-len(trial.steps) // POINTS) or 1
    score = {} if trial.score is None else {f"validation_{model.metric.name}": trial.score}
    beside = {"latency_ms": trial.latency_ms, "size_bytes": trial.size_bytes}
    return TrackedRun(
        name=f"trial-{trial.number}",
        experiment=experiment,
        key=key,
        part="training",
        params={"seed": model.seed, **trial.params},
        metrics={"seconds": trial.seconds, **score, **{name: float(value) for name, value in beside.items() if value}},
        tags={**tags, "kind": TRIAL, "outcome": trial.state, "reason": trial.reason, "origin": trial.origin},
        curves={STEPS: trial.steps[::every]},
        every=every,
        started=at,
        seconds=trial.seconds,
    )


def _baseline(
    model: TunedModel,
    baseline: Baseline,
    model_digest: str,
    dataset: Artifact,
    experiment: str,
    tags: Mapping[str, str],
    folder: Path,
) -> TrackedRun:
    family = baseline.family
    params = settings(family)
    return TrackedRun(
        name=run_name(BASELINE, baseline.name),
        experiment=experiment,
        key=baseline_key(model_digest, baseline.name),
        part="training",
        params={"family": family.name, **seeds(model.seed), **params, "architecture": architecture(family, params)},
        metrics={},
        tags={**tags, "kind": BASELINE, "baseline": baseline.name, "intent": f"What {model.name} has to beat."},
        artifacts={f"model/{file.name}": file for file in sorted(folder.glob(f"baseline_{baseline.name}.*"))},
        datasets=[tracked_dataset(experiment, model, dataset, tags)],
    )
