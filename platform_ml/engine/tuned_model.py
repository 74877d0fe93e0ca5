"""Models: searched and fitted on training and validation rows, published in their native format."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from platform_ml.engine import preparation
from platform_ml.engine.content import file_sha256
from platform_ml.engine.fitting import Fitting
from platform_ml.engine.learnable import check_rows
from platform_ml.engine.portable import export
from platform_ml.engine.search import search, search_account
from platform_ml.engine.tracked import now_us
from platform_ml.engine.tracked_run import model_run
from platform_ml.engine.training_dataset import split_rows
from platform_ml.engine.tuning import Tuning
from platform_ml.spec.errors import MissingInputError, PlatformError, StoreError
from platform_ml.spec.fingerprint import digest, fingerprint
from platform_ml.spec.training_dataset import TRAIN, VALIDATION
from platform_ml.spec.tuner import STOPPED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.family import Predictor
    from platform_ml.spec.tuned_model import TunedModel
    from platform_ml.spec.tuner import Search

KIND = "models"
SEARCH = "search.json"
"""Every trial, the chosen parameters, and which file holds which model."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model, how it was found, and its fitted baselines."""

    predictor: Predictor
    search: Search
    baselines: Mapping[str, Predictor]

    @property
    def params(self) -> Mapping[str, Any]:
        """The hyper-parameters that the model was fitted with."""
        return self.search.best.params

    @property
    def score(self) -> float:
        """The model's metric on the validation rows."""
        if self.search.best.score is None:
            raise PlatformError("The tuner named a trial as the best that has no score.")
        return self.search.best.score


def train(
    model: TunedModel,
    splits: Mapping[str, SplitRows],
    *,
    progress: Callable[[str], None],
    tuning: Tuning | None = None,
) -> Trained:
    """Search and fit on train and validation; no other split is read."""
    fitting = Fitting.of(model, splits)
    predictor, found = search(fitting, model.family, progress=progress, tuning=tuning)
    whole = splits[TRAIN], splits[VALIDATION]
    baselines = {
        item.name: item.family.fit(*whole, params=_values(item.family), seed=model.seed) for item in model.baselines
    }
    return Trained(predictor=fitting.deployed(predictor), search=found, baselines=baselines)


def save(trained: Trained, folder: Path) -> Path:
    """Write the model and its baselines in their native formats, and `search.json`; return the model's file."""
    file = trained.predictor.save(folder)
    baselines = {}
    with TemporaryDirectory() as aside:
        for name, predictor in trained.baselines.items():
            saved = predictor.save(Path(aside))
            baselines[name] = f"baseline_{name}{saved.suffix}"
            shutil.move(saved, folder / baselines[name])
    plain = {
        "model": file.name,
        "baselines": baselines,
        "params": trained.params,
        "score": trained.score,
        "best": trained.search.best.number,
        "trials": [asdict(trial) for trial in trained.search.trials],
        **search_account(trained.search),
    }
    text = json.dumps(plain, indent=1, sort_keys=True, allow_nan=False)
    (folder / SEARCH).write_text(text, encoding="utf-8")
    return file


def model_digest(
    file: Path, params: Mapping[str, Any], *, dataset: str, declared: str, prepared: Path | None = None
) -> str:
    """What a model is called: its bytes and preparations, its parameters, the rows it learned from, its declaration."""
    said = {"file": file_sha256(file), "params": dict(params), "dataset": dataset, "fingerprint": declared}
    return digest(said if prepared is None else said | {"preparation": file_sha256(prepared)})


def materialize_tuned_model(
    model: TunedModel, cutoff: str, dataset: Artifact, *, work: Work, made_by: Mapping[str, Any]
) -> Artifact:
    """Train on a published dataset, tell the tracker, and publish the model."""
    splits = {split: split_rows(model.dataset, dataset, split) for split in (TRAIN, VALIDATION)}
    for odd in check_rows(model, splits, project=work.project):
        work.say(odd)
    started = now_us()
    tuning = Tuning.of(model, cutoff, dataset, work=work, made_by=made_by)
    trained = train(model, splits, progress=work.say, tuning=tuning)
    declared = fingerprint(model)
    with TemporaryDirectory() as aside:
        folder = Path(aside)
        file = save(trained, folder)
        exported = export(trained.predictor, splits[VALIDATION].features, folder)
        prepared = folder / preparation.FILE if model.preparations else None
        name = model_digest(file, trained.params, dataset=dataset.digest, declared=declared, prepared=prepared)
        tags = {**made_by, "model_digest": name, "fingerprint": declared, "cutoff": cutoff}
        run = model_run(
            model, trained, model_digest=name, folder=folder, dataset=dataset,
            experiment=work.project, tags=tags, started=started,
        )  # fmt: skip
        recorded = work.platform.tracker.record(run)
        record = {
            "model": model.name,
            "cutoff": cutoff,
            "fingerprint": declared,
            "dataset": dataset.digest,
            "model_file": file.name,
            "onnx": exported.to_plain(),
            "params": dict(trained.params),
            "search": _summary(trained) | search_account(trained.search) | {"family": model.family.name},
            "mlflow_run": recorded.run_id or run.key,
            "made_by": dict(made_by),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }

        def fill(target: Path) -> None:
            shutil.copytree(folder, target, dirs_exist_ok=True)

        artifact = work.platform.artifacts.publish(work.place(KIND, model, cutoff), name, record, fill)
    tuning.done()
    if recorded.waits:
        work.say(f"{work.table(model)}: its run is kept and sent to the tracker later: {recorded.waits}")
    work.say(f"{work.table(model)}: {model.metric.title} {trained.score:.4f} on validation, version {name[:12]}")
    return artifact


def load(model: TunedModel, cutoff: str, *, work: Work) -> Artifact:
    """The newest model of a cutoff, its checksums verified."""
    artifact = work.platform.artifacts.newest(work.place(KIND, model, cutoff))
    if artifact is None:
        raise MissingInputError(work.missing(model, [cutoff]))
    return artifact


def fitted(model: TunedModel, artifact: Artifact) -> tuple[Predictor, dict[str, Predictor]]:
    """A published model and its baselines, by name; `StoreError` when it was made by another declaration."""
    plain = json.loads((artifact.folder / SEARCH).read_text(encoding="utf-8"))
    names = model.dataset.view.feature_names
    if missing := [item.name for item in model.baselines if item.name not in plain["baselines"]]:
        raise StoreError(f"{artifact.folder} has no baseline {missing[0]!r}. Materialize {model.name!r} again.")
    baselines = {
        item.name: item.family.load(artifact.folder / plain["baselines"][item.name], names) for item in model.baselines
    }
    predictor = model.family.load(artifact.folder / plain["model"], names)
    if model.preparations:
        prepared = preparation.Fitted.load(model.preparations, artifact.folder / preparation.FILE)
        predictor = preparation.Prepared(fitted=prepared, predictor=predictor)
    return predictor, baselines


def _summary(trained: Trained) -> dict[str, Any]:
    trials = trained.search.trials
    return {
        "trials": len(trials),
        "pruned": sum(trial.state == STOPPED for trial in trials),
        "best_trial": trained.search.best.number,
        "best_score": trained.score,
    }


def _values(family: Any) -> dict[str, Any]:
    return {item.name: getattr(family, item.name) for item in fields(family)}
