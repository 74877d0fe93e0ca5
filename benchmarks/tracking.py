"""What telling a tracker costs a sweep: the same 100 trials with MLflow on SQLite and with a tracker that does nothing.

    .venv/bin/python benchmarks/tracking.py [--trials 100] [--rows 20000] [--rounds 2]

Both train and publish the same model, one after the other in turn, in one process; the tracker's own time is measured
within each sweep as well, because two sweeps on a busy machine differ by more than it.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from platform_ml.adapters.folders import Folders
from platform_ml.adapters.mlflow import MLflowTracker, connect
from platform_ml.engine.outbox import Outbox
from platform_ml.engine.platform import Platform, Work
from platform_ml.engine.ports import Artifact
from platform_ml.engine.tracked import Recorded
from platform_ml.engine.tuned_model import materialize_tuned_model
from platform_ml.families import Majority
from platform_ml.features import Total
from platform_ml.spec.tuned_model import Baseline
from platform_ml.testing import declarations as small
from platform_ml.tuners import TPE

if TYPE_CHECKING:
    from platform_ml.engine.tracked import TrackedRun
    from platform_ml.spec.tuned_model import TunedModel

DAYS = range(1, 31)
CUTOFF = "2024-06-10"


class Nothing:
    """A tracker that does nothing."""

    def record(self, run: TrackedRun) -> Recorded:
        return Recorded(run_id=run.key)

    def find(self, experiment: str, key: str) -> str | None:
        return None

    def runs(self, experiment: str, kinds: object) -> list[Any]:
        return []


@dataclass
class Timed:
    """Another tracker, and the seconds that it took."""

    tracker: Any
    seconds: list[float] = field(default_factory=list)
    computing: list[float] = field(default_factory=list)

    def record(self, run: TrackedRun) -> Recorded:
        start, began = perf_counter(), process_time()
        recorded: Recorded = self.tracker.record(run)
        self.seconds.append(perf_counter() - start)
        self.computing.append(process_time() - began)
        if recorded.waits:
            raise SystemExit(recorded.waits)
        return recorded


def declared(trials: int) -> TunedModel:
    """The default search of boosted trees over 30 features."""
    group = replace(small.order_history, features=tuple(Total(days=days, of="amount") for days in DAYS))
    dataset = replace(
        small.lapse_dataset,
        view=replace(small.lapse_view, features=(group,)),
        windows_may_overlap="Invented rows.",
    )
    baseline = Baseline(name="majority", family=Majority())
    return replace(small.lapse_model, dataset=dataset, tuner=TPE(trials=trials), baselines=(baseline,))


def invented(model: TunedModel, rows: int, folder: Path) -> Artifact:
    """Rows of a customer base whose lapses depend on some of the features."""
    view, drawn, splits = model.dataset.view, np.random.default_rng(1), {}
    for split, count in {"train": rows, "validation": rows // 4, "test": rows // 4}.items():
        values = drawn.gamma(2.0, 10.0, (count, len(view.feature_names)))
        logits = 0.05 * (values[:, 0] - values[:, 7]) + 0.002 * values[:, 3] * (values[:, 11] - 20)
        known = {
            "customer_id": pa.array(np.arange(count) % (count // 10)),
            "event_time": pa.array(np.full(count, np.datetime64("2024-06-10", "us"))),
            view.label.name: pa.array(drawn.random(count) < 1 / (1 + np.exp(-logits))),
            **{name: pa.array(values[:, number]) for number, name in enumerate(view.feature_names)},
            **{name: pa.nulls(count, pa.string()) for name in view.helper_names},
        }
        pq.write_table(pa.table(known), folder / f"{split}.parquet")
        splits[split] = {"rows": count}
    return Artifact(folder=folder, digest="d" * 64, record={"split": {"splits": splits}})


def sweep(model: TunedModel, dataset: Artifact, folder: Path, tracker: Any) -> tuple[float, float]:
    """Seconds of one search, from the dataset to the published model, and those of it spent computing."""
    platform = Platform(
        landing=folder,
        tables=None,  # type: ignore[arg-type]
        compute=None,  # type: ignore[arg-type]
        artifacts=Folders(folder),
        tracker=tracker,
        registry=None,  # type: ignore[arg-type]
    )
    work = Work(project="shop", platform=platform, say=lambda _: None)
    start, began = perf_counter(), process_time()
    materialize_tuned_model(model, CUTOFF, dataset, work=work, made_by={})
    return perf_counter() - start, process_time() - began


def main() -> None:
    """Print what telling costs, round by round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("--trials", 100), ("--rows", 20_000), ("--rounds", 2)):
        parser.add_argument(name, type=int, default=value)
    options = parser.parse_args()
    model = declared(options.trials)
    print(f"{options.trials} trials of XGBoost on {options.rows:,} x {len(DAYS)} training rows")
    print(f"{'round':<7}{'':<11}{'no tracker':>12}{'MLflow':>10}{'of it telling':>15}{'share':>8}{'per trial':>12}")
    with tempfile.TemporaryDirectory() as aside:
        for number in range(options.rounds):
            folder = Path(aside, str(number))
            folder.mkdir()
            dataset = invented(model, options.rows, folder)
            uri = f"sqlite:///{folder / 'mlflow.db'}"
            connect(uri)  # MLflow makes its tables once, in seconds
            without = sweep(model, dataset, folder / "without", Nothing())
            timed = Timed(Outbox(MLflowTracker(uri, folder / "runs"), folder / "outbox"))
            with_mlflow = sweep(model, dataset, folder / "with", timed)
            told = sum(timed.seconds), sum(timed.computing)
            for what, bare, whole, telling in zip(("wall", "computing"), without, with_mlflow, told, strict=True):
                print(
                    f"{number + 1:<7}{what:<11}{bare:>10.1f} s{whole:>8.1f} s{telling:>13.2f} s"
                    f"{telling / (whole - telling):>8.1%}{1_000 * telling / options.trials:>9.1f} ms",
                    flush=True,
                )


if __name__ == "__main__":
    main()
