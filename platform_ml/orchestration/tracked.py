"""`platform-ml runs`, `models` and `tracking`: what the tracker and the registry hold, and what waits to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.comparison import ranked, runs_frame, versions_frame
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.errors import PlatformError

if TYPE_CHECKING:
    import pandas as pd

    from platform_ml.engine.outbox import Outbox

MAIN = "main_metric"


def show_runs(project: str, *, metric: str, trials: bool) -> int:
    """Print the runs of a project, newest first; with a metric, the best first."""
    tracker = PlatformResource().mlflow().tracker()
    found = runs_frame(tracker, project, trials=trials)
    _say_what_waits(tracker)
    if found.empty:
        raise PlatformError(f"{project!r} has no runs. Materialize one of its models first.")
    columns = [name for name in found.columns if name.startswith("metrics.test_") and not _is_end(name)]
    if metric:
        found = ranked(found, metric)
        columns = [name for name in found.columns if name in (f"metrics.{metric}", f"metrics.test_{metric}")]
    shown = found[["name", "kind", "model", "cutoff", "started", "seconds", *columns, "run_id"]].copy()
    shown["started"] = [moment.strftime("%Y-%m-%d %H:%M") for moment in shown["started"]]
    shown["run_id"] = [run_id[:12] for run_id in shown["run_id"]]
    _print(shown.rename(columns=lambda name: name.removeprefix("metrics.")))
    return 0


def show_models(project: str) -> int:
    """Print the registered versions."""
    store = PlatformResource().mlflow()
    found = versions_frame(store.registry().versions(), [project] if project else [])
    _say_what_waits(store.tracker())
    if found.empty:
        print("No model is registered yet.")
        return 0
    found["registered"] = [moment.strftime("%Y-%m-%d %H:%M") for moment in found["registered"]]
    _print(found.drop(columns=["run_id"]))
    return 0


def send_kept() -> int:
    """Send what waits; 0 when nothing is left."""
    outbox = PlatformResource().mlflow().tracker()
    done = outbox.send()
    for run_id in done.sent.values():
        print(f"sent   run {run_id}")
    for name, reason in done.kept.items():
        print(f"kept   {outbox.folder / name}: {reason}")
    if not done.sent and not done.kept:
        print("Nothing waits to be sent.")
    return 1 if done.kept else 0


def _say_what_waits(tracker: Outbox) -> None:
    if waiting := tracker.waiting():
        print(f"{len(waiting)} run(s) wait to be sent and are not shown: platform-ml tracking")


def _is_end(column: str) -> bool:
    return column.endswith(("_low", "_high", "_rows"))


def _print(frame: pd.DataFrame) -> None:
    print(frame.to_string(index=False, na_rep="-", float_format=lambda value: f"{value:.4f}"))
