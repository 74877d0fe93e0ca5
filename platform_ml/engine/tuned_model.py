"""Models: searched and fitted on training and validation rows, published in their native format."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from platform_ml.engine import ablation, chosen, preparation
from platform_ml.engine.advisor import advise
from platform_ml.engine.conditions import conditions
from platform_ml.engine.content import file_sha256
from platform_ml.engine.contest import compete, standings
from platform_ml.engine.cross_validation import cross_validate, prepared, read_folds
from platform_ml.engine.feature_selection import chosen_for, recorded
from platform_ml.engine.fitting import Fitting
from platform_ml.engine.intervals import FILE as INTERVALS
from platform_ml.engine.intervals import Calibrated, kept_apart
from platform_ml.engine.learnable import check_rows
from platform_ml.engine.portable import export
from platform_ml.engine.search import search, search_account
from platform_ml.engine.seeds import seeded
from platform_ml.engine.tracked import now_us
from platform_ml.engine.tracked_ablation import with_ablations
from platform_ml.engine.tracked_contest import with_contest
from platform_ml.engine.tracked_run import model_run
from platform_ml.engine.training_cost import Meter
from platform_ml.engine.training_dataset import split_rows
from platform_ml.engine.tuning import Tuning
from platform_ml.engine.winner import winner
from platform_ml.spec.errors import MissingInputError, StoreError
from platform_ml.spec.fingerprint import digest, fingerprint
from platform_ml.spec.space import settings
from platform_ml.spec.task import CLUSTERING
from platform_ml.spec.training_dataset import TRAIN, VALIDATION
from platform_ml.spec.tuner import STOPPED, Search, TriedParams

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from platform_ml.engine.ablation import Ablated
    from platform_ml.engine.contest import Contest
    from platform_ml.engine.cross_validation import CrossValidated
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.family import Family, Predictor
    from platform_ml.spec.tuned_model import TunedModel

KIND = "models"
SEARCH = "search.json"
"""Every trial, the chosen parameters and family, and which file holds which model."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A model, how it was found, and its fitted baselines."""

    predictor: Predictor
    search: Search
    baselines: Mapping[str, Predictor]
    family: Family
    """The one that was fitted: of those that competed, the winner."""
    name: str
    """What the leader board calls it."""
    advice: str = ""
    """What the number of training rows speaks for."""
    contest: Contest | None = None
    """None: no other family was declared."""
    folds: CrossValidated | None = None
    """None: no folds were declared, or none were given."""
    ablations: Mapping[str, Ablated] = field(default_factory=dict)
    """The model without some features, by the declared names."""
    chosen: chosen.Chosen | None = None
    """Which features it sees; None: all."""
    intervals: Calibrated | None = None
    """The ranges that its predictions come with."""

    @property
    def params(self) -> Mapping[str, Any]:
        """The hyper-parameters that the model was fitted with."""
        return self.search.best.params

    @property
    def score(self) -> float:
        """The model's metric on the validation rows."""
        return self.search.score


def train(
    model: TunedModel,
    splits: Mapping[str, SplitRows],
    *,
    progress: Callable[[str], None],
    folds: Sequence[Mapping[str, SplitRows]] = (),
    features: chosen.Chosen | None = None,
    tuning: Tuning | None = None,
) -> Trained:
    """Search and fit on train and validation; no other split is read.

    Args:
        model: as it was declared.
        splits: by name.
        progress: is told what comes of each trial.
        folds: of `read_folds`; without them nothing is cross-validated, and a choice by folds is refused.
        features: the published choice of a model that declares one; None: it is made here.
        tuning: where trials are kept and run, and what they start from; None: in memory, from nothing.
    """
    splits, apart = _apart(model, splits)
    fitting, ready = Fitting.of(model, splits, chosen=features), prepared(model, folds)
    ablation.check_ablations(fitting)
    contest = None
    if model.rivals:
        contest = compete(fitting, splits[VALIDATION].features, ready, progress=progress, tuning=tuning)
        predictor, found, name = contest.winner.predictor, contest.winner.search, contest.chosen
    else:
        predictor, found = search(fitting, model.family, progress=progress, tuning=tuning)
        name = model.family.name
    validated = contest.winner.folds if contest else None
    if validated is None and ready:
        validated = cross_validate(model.alone(name), found.best, ready, progress=progress)
    trained = _with_rivals(fitting, splits, name, found, predictor, progress=progress)
    return replace(_with_intervals(model, trained, apart), contest=contest, folds=validated)


def refit(
    model: TunedModel,
    splits: Mapping[str, SplitRows],
    *,
    name: str,
    params: Mapping[str, Any],
    features: chosen.Chosen | None = None,
) -> Trained:
    """Fit one of the declared families with known parameters, and all that lies beside it: nothing is searched."""
    splits, apart = _apart(model, splits)
    fitting = Fitting.of(model, splits, chosen=features)
    predictor, score = fitting.fit(model.competitors[name].family, params)
    once = TriedParams(number=0, params=params, score=score, steps=(), seconds=0.0)
    found = Search(trials=(once,), best=once)
    trained = _with_rivals(fitting, splits, name, found, predictor, progress=lambda _: None)
    return _with_intervals(model, trained, apart)


def _apart(model: TunedModel, splits: Mapping[str, SplitRows]) -> tuple[Mapping[str, SplitRows], SplitRows | None]:
    """The rows that are learned from and searched on, and those that only the intervals may see."""
    if model.intervals is None:
        return splits, None
    judge, apart = kept_apart(model.intervals, splits[VALIDATION], seed=model.seed)
    return {TRAIN: splits[TRAIN], VALIDATION: judge}, apart


def _with_intervals(model: TunedModel, trained: Trained, apart: SplitRows | None) -> Trained:
    if model.intervals is None or apart is None:
        return trained
    return replace(trained, intervals=Calibrated.of(model.intervals, trained.predictor, apart))


def _with_rivals(
    fitting: Fitting,
    splits: Mapping[str, SplitRows],
    name: str,
    found: Search,
    predictor: Predictor,
    *,
    progress: Callable[[str], None],
) -> Trained:
    """A fitted model with its baselines and ablations."""
    model = fitting.model
    family = model.competitors[name].family
    whole = splits[TRAIN], splits[VALIDATION]
    baselines: dict[str, Predictor] = {}
    for item in model.baselines:
        with seeded(model.seed):
            baselines[item.name] = item.family.fit(*whole, params=settings(item.family), seed=model.seed)
    families = [one.family for one in model.competitors.values()]
    return Trained(
        predictor=fitting.deployed(predictor),
        search=found,
        baselines=baselines,
        family=family,
        name=name,
        # The rule of thumb is one for labels: no trees find clusters.
        advice="" if model.task is CLUSTERING else advise(len(splits[TRAIN].label), families),
        ablations=ablation.ablate(fitting, family, found.best.params, progress=progress),
        chosen=fitting.chosen,
    )


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
        **({ablation.ABLATIONS: ablation.save(trained.ablations, folder)} if trained.ablations else {}),
        **search_account(trained.search),
    } | _others(trained)
    text = json.dumps(plain, indent=1, sort_keys=True, allow_nan=False)
    (folder / SEARCH).write_text(text, encoding="utf-8")
    if trained.intervals is not None:
        trained.intervals.save(folder)
    return file


def model_digest(
    file: Path,
    params: Mapping[str, Any],
    *,
    dataset: str,
    declared: str,
    prepared: Path | None = None,
    selected: Path | None = None,
    intervals: Path | None = None,
    family: str | None = None,
) -> str:
    """What a model is called: its bytes, preparations, choice of features, intervals, parameters, rows, declaration.

    `family` is that of `search.json`: the winner of those that competed.
    """
    said = {"file": file_sha256(file), "params": dict(params), "dataset": dataset, "fingerprint": declared}
    said |= {} if selected is None else {"selection": file_sha256(selected)}
    said |= {} if intervals is None else {"intervals": file_sha256(intervals)}
    said |= {} if family is None else {"family": family}
    return digest(said if prepared is None else said | {"preparation": file_sha256(prepared)})


def digest_of(files: Mapping[str, Path], *, dataset: str, declared: str) -> str:
    """`model_digest` of the model that these files are, by their names in the folder that was published."""
    search = json.loads(files[SEARCH].read_text(encoding="utf-8"))
    return model_digest(
        files[search["model"]],
        search["params"],
        dataset=dataset,
        declared=declared,
        prepared=files.get(preparation.FILE),
        selected=files.get(chosen.FILE),
        intervals=files.get(INTERVALS),
        family=search.get("family"),  # there if several have competed
    )


def files_in(folder: Path) -> dict[str, Path]:
    """Name → file."""
    return {path.name: path for path in folder.iterdir() if path.is_file()}


def materialize_tuned_model(
    model: TunedModel, cutoff: str, dataset: Artifact, *, work: Work, made_by: Mapping[str, Any]
) -> Artifact:
    """Train on a published dataset, tell the tracker, and publish the model."""
    splits = {split: split_rows(model.dataset, dataset, split) for split in (TRAIN, VALIDATION)}
    check_rows(model, splits, project=work.project)
    started, meter = now_us(), Meter.start()
    folds = read_folds(model, cutoff, dataset, work=work)
    features = chosen_for(model, cutoff, dataset, work=work)
    tuning = Tuning.of(model, cutoff, dataset, work=work, made_by=made_by)
    trained = train(model, splits, folds=folds, features=features, tuning=tuning, progress=work.say)
    declared, took = fingerprint(model), meter.read()
    with TemporaryDirectory() as aside:
        folder = Path(aside)
        file = save(trained, folder)
        exported = export(trained.predictor, splits[VALIDATION].features, folder)
        name = digest_of(files_in(folder), dataset=dataset.digest, declared=declared)
        tags = {**made_by, "model_digest": name, "fingerprint": declared, "cutoff": cutoff}
        run = model_run(
            model, trained, model_digest=name, folder=folder, dataset=dataset,
            experiment=work.project, tags=tags, started=started,
        )  # fmt: skip
        told = work.platform.tracker.record(with_ablations(with_contest(run, trained), model, trained))
        record = _learned(trained) | {
            "model": model.name,
            "cutoff": cutoff,
            "fingerprint": declared,
            "dataset": dataset.digest,
            "model_file": file.name,
            "onnx": exported.to_plain(),
            **recorded(trained.chosen),
            "mlflow_run": told.run_id or run.key,
            **conditions(model),
            "compute": took | {"elsewhere": work.platform.spread is not None},
            "made_by": dict(made_by),
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }

        def fill(target: Path) -> None:
            shutil.copytree(folder, target, dirs_exist_ok=True)

        artifact = work.platform.artifacts.publish(work.place(KIND, model, cutoff), name, record, fill)
    tuning.done()
    if told.waits:
        work.say(f"{work.table(model)}: its run is kept and sent to the tracker later: {told.waits}")
    work.say(f"{work.table(model)}: {model.metric.title} {trained.score:.4f} on validation, version {name[:12]}")
    return artifact


def _learned(trained: Trained) -> dict[str, Any]:
    """What a record says of the training."""
    return {
        "family": trained.name,
        "params": dict(trained.params),
        "search": _summary(trained) | search_account(trained.search) | {"family": trained.family.name},
        "advice": trained.advice,
        "contest": None if trained.contest is None else standings(trained.contest),
        "cross_validation": None if trained.folds is None else trained.folds.to_plain(),
    }


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
    return predictor_in(artifact.folder, model, {**artifact.record, **plain}), baselines


def predictor_in(
    folder: Path, model: TunedModel, said: Mapping[str, Any], names: Sequence[str] | None = None
) -> Predictor:
    """The model whose files lie in a folder, without its baselines.

    Args:
        folder: of its files.
        model: as it is declared.
        said: what its `search.json` does.
        names: the features of the rows that it will be shown, in the order of its dataset; None: those of the view.
    """
    seen = chosen.Chosen.load(model.features, folder / chosen.FILE) if model.features else None
    known = seen.kept if seen else names or model.dataset.view.feature_names
    predictor: Predictor = winner(model, said).load(folder / said["model"], known)
    if seen is not None:
        predictor = chosen.Narrowed(kept=seen.kept, predictor=predictor, chosen=seen)
    if model.preparations:
        prepared = preparation.Fitted.load(model.preparations, folder / preparation.FILE)
        predictor = preparation.Prepared(fitted=prepared, predictor=predictor)
    return predictor


def intervals_in(folder: Path, model: TunedModel) -> Calibrated | None:
    """The ranges that predictions of a published model come with, if any were declared."""
    return Calibrated.load(model.intervals, folder / INTERVALS) if model.intervals else None


def _summary(trained: Trained) -> dict[str, Any]:
    trials = trained.search.trials
    return {
        "trials": len(trials),
        "pruned": sum(trial.state == STOPPED for trial in trials),
        "best_trial": trained.search.best.number,
        "best_score": trained.score,
    }


def _others(trained: Trained) -> dict[str, Any]:
    """The family, and every trial of those that lost to it; nothing where none competed."""
    if trained.contest is None:
        return {}
    lost = {one.name: one.found.search for one in trained.contest.entrants if one.found and one.name != trained.name}
    rivals = {
        name: {"params": found.best.params, "score": found.best.score, "trials": [asdict(one) for one in found.trials]}
        for name, found in lost.items()
    }
    return {"family": trained.name, "rivals": rivals}
