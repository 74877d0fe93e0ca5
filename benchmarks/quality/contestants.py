"""One contestant in a process of its own: seconds, CPU seconds, peak memory, and what it predicts for the test rows.

    python contestants.py NAME JOB ANSWER

The clock runs from the Parquet files to the fitted model; imports, and predicting the test rows, are outside of it.
Everyone has the same training and validation rows, and may stop early or choose by the validation rows alone.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    Predict = Callable[[], NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is asked of a contestant."""

    name: str
    folder: str
    trials: int
    seed: int
    threads: int
    budget: float
    """Seconds for those that are told when to end."""

    @property
    def said(self) -> dict[str, Any]:
        """Features, label and entity of the dataset."""
        plain: dict[str, Any] = json.loads(Path(self.folder, "dataset.json").read_text(encoding="utf-8"))
        return plain

    def frame(self, split: str) -> tuple[pd.DataFrame, NDArray[np.float64]]:
        """The features as numbers, and the label."""
        said = self.said
        rows = pq.read_table(Path(self.folder, f"{split}.parquet"), columns=[*said["features"], said["label"]])
        label = rows[said["label"]].cast("double").to_numpy()
        numbers = {name: rows[name].cast("double").to_numpy() for name in said["features"]}
        import pandas as pd

        return pd.DataFrame(numbers), label


def ours(job: Job, *, tracked: bool = False) -> tuple[Callable[[], Predict], dict[str, Any]]:
    """As a model's asset does it, from the dataset to the published model."""
    import optuna  # noqa: F401
    import sklearn.metrics  # noqa: F401
    from models import declared

    from platform_ml.adapters.folders import Folders
    from platform_ml.adapters.mlflow import MLflowTracker, connect
    from platform_ml.engine.outbox import Outbox
    from platform_ml.engine.platform import Platform, Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.tracked import Recorded
    from platform_ml.engine.training_dataset import split_rows
    from platform_ml.engine.tuned_model import fitted, materialize_tuned_model

    class Nothing:
        def record(self, run: Any) -> Recorded:
            return Recorded(run_id=run.key)

        def find(self, experiment: str, key: str) -> str | None:
            return None

        def runs(self, experiment: str, kinds: object) -> list[Any]:
            return []

    with suppress(ImportError):
        import onnxmltools  # noqa: F401
        import onnxruntime  # noqa: F401
    model = declared(job.name, job.said, trials=job.trials, seed=job.seed)
    rows = {
        split: pq.read_metadata(Path(job.folder, f"{split}.parquet")).num_rows
        for split in ("train", "validation", "test")
    }
    record = {"split": {"splits": {split: {"rows": count} for split, count in rows.items()}}}
    dataset = Artifact(folder=Path(job.folder), digest="d" * 64, record=record)
    scratch = Path(tempfile.mkdtemp())  # in a folder that run.py removes
    tracker: Any = Nothing()
    if tracked:
        uri = f"sqlite:///{scratch / 'mlflow.db'}"
        connect(uri)  # MLflow makes its tables once, in seconds
        tracker = Outbox(MLflowTracker(uri, scratch / "runs"), scratch / "outbox")
    platform = Platform(
        landing=scratch, tables=None, compute=None, artifacts=Folders(scratch), tracker=tracker, registry=None
    )
    work = Work(project="bench", platform=platform, say=lambda _: None)

    def fit() -> Predict:
        artifact = materialize_tuned_model(model, "2024-01-01", dataset, work=work, made_by={})
        predictor, _ = fitted(model, artifact)
        return lambda: predictor.predict(split_rows(model.dataset, dataset, "test").features)

    return fit, {"trials": model.tuner.trials}


def with_mlflow(job: Job) -> tuple[Callable[[], Predict], dict[str, Any]]:
    """The same with every trial, metric and file told to MLflow."""
    return ours(job, tracked=True)


def plain_optuna(job: Job) -> tuple[Callable[[], Predict], dict[str, Any]]:
    """A study as Optuna's own example has it, made as good as ours.

    Matrices are built once, trials stop by the same rules, and the best parameters are fitted again.
    """
    import optuna
    import xgboost as xgb

    space = json.loads(Path(job.folder, "space.json").read_text(encoding="utf-8"))
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def draw(trial: optuna.Trial) -> dict[str, Any]:
        return {
            name: told["value"]
            if "value" in told
            else getattr(trial, f"suggest_{told['kind']}")(name, told["low"], told["high"], log=told["log"])
            for name, told in space.items()
        }

    def fit() -> Predict:
        (train, label), (validation, truth) = job.frame("train"), job.frame("validation")
        learn = xgb.DMatrix(train, label, nthread=job.threads)
        judge = xgb.DMatrix(validation, truth, nthread=job.threads)

        def boost(params: dict[str, Any], trial: optuna.Trial | None) -> xgb.Booster:
            class Report(xgb.callback.TrainingCallback):
                def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
                    if trial is not None:
                        trial.report(float(evals_log["validation"]["auc"][-1]), epoch)
                        if trial.should_prune():
                            raise optuna.TrialPruned
                    return False

            params = dict(params)
            rounds, patience = params.pop("max_rounds"), params.pop("early_stopping_rounds")
            early = xgb.callback.EarlyStopping(
                patience, metric_name="auc", data_name="validation", maximize=True, save_best=True
            )
            fixed = {"objective": "binary:logistic", "eval_metric": "auc", "tree_method": "hist", "seed": 7 + job.seed}
            return xgb.train(
                params | fixed | {"nthread": job.threads},
                learn,
                rounds,
                evals=[(judge, "validation")],
                callbacks=[Report(), early],
                verbose_eval=False,
            )

        def objective(trial: optuna.Trial) -> float:
            params = draw(trial)
            trial.set_user_attr("params", params)
            return float(boost(params, trial).best_score)

        study = optuna.create_study(
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=50),
        )
        for number in range(job.trials):
            # As ours, so that both try much the same: other draws mean more or fewer rounds to boost.
            study.sampler = optuna.samplers.TPESampler(seed=7 + job.seed + number, n_startup_trials=10)
            study.optimize(objective, n_trials=1)
        booster = boost(study.best_trial.user_attrs["params"], None)
        return lambda: booster.inplace_predict(job.frame("test")[0])

    return fit, {"trials": job.trials}


def hist_gradient_boosting(job: Job) -> tuple[Callable[[], Predict], dict[str, Any]]:
    """scikit-learn's own, with default settings; it makes no use of the validation rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    def fit() -> Predict:
        train, label = job.frame("train")
        model = HistGradientBoostingClassifier(random_state=7 + job.seed).fit(train, label)
        return lambda: model.predict_proba(job.frame("test")[0])[:, 1]

    return fit, {}


def flaml(job: Job) -> tuple[Callable[[], Predict], dict[str, Any]]:
    """FLAML with as many seconds as we took, choosing by the validation rows; then it learns from both, its default."""
    from flaml import AutoML

    warnings.simplefilter("ignore")

    def fit() -> Predict:
        (train, label), (validation, truth) = job.frame("train"), job.frame("validation")
        model = AutoML()
        model.fit(
            train,
            label,
            X_val=validation,
            y_val=truth,
            task="classification",
            metric="roc_auc",
            time_budget=job.budget,
            n_jobs=job.threads,
            seed=7 + job.seed,
            verbose=0,
        )
        return lambda: model.predict_proba(job.frame("test")[0])[:, 1]

    return fit, {"budget": job.budget}


CONTESTANTS = {
    "this project": ours,
    "this project, told to MLflow": with_mlflow,
    "Optuna + XGBoost by hand": plain_optuna,
    "HistGradientBoosting, default": hist_gradient_boosting,
    "FLAML, our seconds": flaml,
}


def peak_mb() -> float:
    """The most memory that this process held, in MB (10^6 bytes)."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux counts into ru_maxrss what the process was before exec; VmHWM begins anew
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def cpu_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime


def main() -> None:
    """Fit, measure, predict."""
    name, asked, answer = sys.argv[1:]
    import pandas as pd  # noqa: F401
    import xgboost as xgb  # noqa: F401

    fit, said = CONTESTANTS[name](Job(**json.loads(Path(asked).read_text(encoding="utf-8"))))
    start, busy = perf_counter(), cpu_seconds()
    predict = fit()
    said |= {"seconds": perf_counter() - start, "cpu_seconds": cpu_seconds() - busy, "peak_mb": peak_mb()}
    np.save(answer, np.asarray(predict(), dtype=np.float64))
    Path(answer).with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main()
