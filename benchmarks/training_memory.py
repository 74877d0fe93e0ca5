"""Parquet to a trained model: this project beside `pandas.read_parquet` and `XGBClassifier`, on the same files.

    make bench-training

Both read the train and validation splits of a published dataset and boost the same number of rounds with the same
parameters and the same early stopping. Every measurement is a process of its own; sides take turns, and each round
begins with the other one. What comes out has to predict the same, or the benchmark fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from platform_ml.spec.tuned_model import TunedModel

RESULTS = Path(__file__).resolve().parent / "results"
GOALS = {"seconds": 0.7, "peak_mb": 0.5}
PARAMS = {
    "max_depth": 6,
    "learning_rate": 0.1,
    "min_child_weight": 1.0,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "reg_lambda": 1.0,
    "reg_alpha": 0.01,
    "max_bin": 256,
}
PATIENCE = 50
SEED = 7
LABEL = "lapsed"


def declared(features: int) -> TunedModel:
    """A model of so many features, all hyper-parameters given."""
    from platform_ml.families import Majority, XGBoost
    from platform_ml.features import Total
    from platform_ml.spec.tuned_model import Baseline
    from platform_ml.testing import declarations as small

    group = replace(
        small.order_history, features=tuple(Total(days=days, of="amount") for days in range(1, features + 1))
    )
    view = replace(small.lapse_view, features=(group,))
    dataset = replace(small.lapse_dataset, view=view, windows_may_overlap="Invented rows.")
    baselines = (Baseline(name="majority", family=Majority()),)
    return replace(small.lapse_model, dataset=dataset, family=XGBoost(**PARAMS), baselines=baselines, seed=SEED)


def invent(folder: Path, rows: int, features: int) -> None:
    """Splits as a dataset publishes them: numbers with some nulls, a fifth of them small whole ones."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    view, drawn = declared(features).dataset.view, np.random.default_rng(1)
    for split, count in {"train": rows, "validation": rows // 5}.items():
        score, columns = np.zeros(count), {}
        for number, name in enumerate(view.feature_names):
            values = drawn.gamma(2.0, 10.0, count) if number % 5 else drawn.poisson(3.0, count).astype(float)
            score += values * (0.02 if number % 7 == 0 else 0.0) * (-1) ** number
            columns[name] = pa.array(values, mask=drawn.random(count) < (0.1 if number % 4 == 0 else 0.0))
        label = drawn.random(count) < 1 / (1 + np.exp(-(score - score.mean())))
        known = {
            view.label.entity: pa.array(np.arange(count) % (count // 10)),
            "event_time": pa.array(np.full(count, np.datetime64("2024-06-10", "us"))),
            view.label.name: pa.array(label),
            "known_time": pa.array(np.full(count, np.datetime64("2024-06-17", "us"))),
            **columns,
            **{name: pa.nulls(count, pa.string()) for name in view.helper_names},
        }
        pq.write_table(pa.table(known), folder / f"{split}.parquet", compression="zstd")


def ours(folder: Path, told: argparse.Namespace) -> Callable[[], NDArray[Any]]:
    """As a model's asset does it, without search, tracker and export."""
    from platform_ml.engine.fitting import Fitting
    from platform_ml.engine.learnable import check_rows
    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.training_dataset import split_rows

    model = declared(told.features)
    dataset = Artifact(folder=folder, digest="d" * 64, record={})
    splits = {split: split_rows(model.dataset, dataset, split) for split in ("train", "validation")}
    check_rows(model, splits, project="shop")
    fitting = Fitting.of(model, splits)
    params = PARAMS | {"max_rounds": told.boost, "early_stopping_rounds": PATIENCE, "loss": None}
    predictor, _ = fitting.fit(model.family, params)
    return lambda: predictor.predict(splits["validation"].features)


def plain(folder: Path, told: argparse.Namespace) -> Callable[[], NDArray[Any]]:
    """As a notebook does it, with the same stopping rule."""
    import pandas as pd
    import xgboost as xgb

    names = [f"amount_sum_{days}d" for days in range(1, told.features + 1)]
    train, validation = (pd.read_parquet(folder / f"{split}.parquet") for split in ("train", "validation"))
    stop = xgb.callback.EarlyStopping(PATIENCE, metric_name="auc", maximize=True, save_best=True)
    model = xgb.XGBClassifier(
        n_estimators=told.boost,
        eval_metric="auc",
        tree_method="hist",
        random_state=SEED,
        n_jobs=told.threads,
        callbacks=[stop],
        **PARAMS,
    )
    model.fit(train[names], train[LABEL], eval_set=[(validation[names], validation[LABEL])], verbose=False)
    return lambda: model.predict_proba(validation[names])[:, 1]


SIDES = {"this project": ours, "pandas + XGBClassifier": plain}


def peak_mb() -> float:
    """The most memory that this process held, in MB (10^6 bytes)."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux counts into ru_maxrss what the process was before exec; VmHWM begins anew
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def measured(side: str, told: argparse.Namespace) -> dict[str, Any]:
    """One side in this process; imports are not timed, but their memory is counted."""
    import pandas as pd  # noqa: F401
    import xgboost as xgb  # noqa: F401
    from sklearn.metrics import roc_auc_score  # noqa: F401

    start, busy = perf_counter(), process_time()
    predict = SIDES[side](told.work, told)
    found = {"seconds": perf_counter() - start, "cpu_seconds": process_time() - busy, "peak_mb": peak_mb()}
    return found | {"answer": hashlib.sha256(predict().astype(np.float32).tobytes()).hexdigest()[:16]}


def rounds(told: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Everything that was measured, by side."""
    values: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for number in range(told.rounds):
        for side in list(SIDES)[:: 1 if number % 2 else -1]:
            command = [sys.executable, __file__, "--side", side, "--work", told.work, "--boost", told.boost]
            command += ["--features", told.features, "--threads", told.threads]
            env = os.environ | {"PLATFORM_ML_THREADS": str(told.threads)}
            done = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True, env=env)
            values[side].append(json.loads(done.stdout))
            one = values[side][-1]
            print(f"round {number + 1} {side:<24}{one['seconds']:>8.2f} s{one['peak_mb']:>9,.0f} MB", flush=True)
    return values


def main() -> None:
    """Measure in rounds, print a table, write the JSON."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--rows", type=int, default=1_000_000, help="of the training split; a fifth more for validation")
    ask.add_argument("--features", type=int, default=50)
    ask.add_argument("--boost", type=int, default=100, help="rounds of boosting")
    ask.add_argument("--rounds", type=int, default=3, help="how often each side is measured")
    ask.add_argument("--threads", type=int, default=os.cpu_count(), help="of both sides")
    ask.add_argument("--out", type=Path, default=RESULTS)
    ask.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    ask.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    told = ask.parse_args()
    if told.side:
        print(json.dumps(measured(told.side, told)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        told.work = Path(scratch)
        # In a process of its own: what the generator held would count as the memory of those that come after.
        invented = f"from training_memory import *; invent(Path({scratch!r}), {told.rows}, {told.features})"
        subprocess.run([sys.executable, "-c", invented], check=True, cwd=Path(__file__).parent)
        values = rounds(told)
    report(values, told)


def report(values: dict[str, list[dict[str, Any]]], told: argparse.Namespace) -> None:
    """The table, the ratios, and a file with all of it."""
    mid = {side: {what: median(one[what] for one in found) for what in GOALS} for side, found in values.items()}
    us, them = (mid[side] for side in SIDES)
    print(
        f"\n{told.rows:,} x {told.features} rows, {told.boost} rounds; median of {told.rounds}; {os.cpu_count()} cores"
    )
    for side, found in mid.items():
        print(f"{side:<24}{found['seconds']:>9.2f} s{found['peak_mb']:>9,.0f} MB")
    for what, goal in GOALS.items():
        print(f"{what:<10} ratio {us[what] / them[what]:.2f}, goal {goal}")
    said = {"machine": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg(), "rows": told.rows}
    said |= {"threads": told.threads}
    said |= {"features": told.features, "boost": told.boost, "values": values, "medians": mid, "goals": GOALS}
    told.out.mkdir(parents=True, exist_ok=True)
    (told.out / "training_memory.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    if len({one["answer"] for found in values.values() for one in found}) != 1:
        raise SystemExit("The sides do not predict the same.")


if __name__ == "__main__":
    main()
