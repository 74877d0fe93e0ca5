"""`platform-ml runs`, `models` and `tracking`: what the tracker and the registry hold, and what waits to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.comparison import ranked, runs_frame, versions_frame
from platform_ml.engine.standing import candidates
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.naming import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from platform_ml.engine.outbox import Outbox
    from platform_ml.spec.project import Project

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


def show_models(projects: Sequence[Project], *, everything: bool) -> int:
    """Print the registered versions, of all projects or of these, and the candidates that are not registered."""
    resource = PlatformResource()
    store = resource.mlflow()
    versions, artifacts = store.registry().versions(), resource.platform().artifacts
    registered = {one.tags.get("model_digest", "") for one in versions}
    others = [one for project in projects for one in candidates(project, artifacts, registered)]
    found = versions_frame(versions, [] if everything else [project.name for project in projects], others)
    _say_what_waits(store.tracker())
    if found.empty:
        print("No model is registered yet, and there are no candidates.")
        return 0
    known = found["registered"].notna()
    found["registered"] = [
        f"{one:%Y-%m-%d %H:%M}" if there else "-" for one, there in zip(found["registered"], known, strict=True)
    ]
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
        print(f"Not shown, and waiting to be sent with platform-ml tracking: {counted(len(waiting), 'run')}.")


def _is_end(column: str) -> bool:
    return column.endswith(("_low", "_high", "_rows"))


def _print(frame: pd.DataFrame) -> None:
    print(frame.to_string(index=False, na_rep="-", float_format=lambda value: f"{value:.4f}"))
