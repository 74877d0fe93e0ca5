"""Runs and registered models as tables: which is best, and what makes the difference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from platform_ml.engine.tracked_run import KINDS, TRIAL
from platform_ml.spec.errors import PlatformError, did_you_mean
from platform_ml.spec.reason import REASON_TAG, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from platform_ml.engine.ports import Tracker
    from platform_ml.engine.standing import Candidate
    from platform_ml.engine.tracked import RecordedRun, RegisteredVersion

GOALS = ("maximize", "minimize")
ABOUT = ("model", "cutoff", "dataset")
"""Tags that every table of runs shows."""
SHORT = 12
"""Characters of a digest that are shown."""


def runs_frame(tracker: Tracker, experiment: str, *, trials: bool = False) -> pd.DataFrame:
    """One row a run, newest first: what it is, then `metrics.*`, `params.*` and `tags.*`, missing where it has none."""
    import pandas as pd

    found = tracker.runs(experiment, (*KINDS, TRIAL) if trials else KINDS)
    rows = [_row(run) for run in found if run.finished]
    columns = ["run_id", "name", "kind", *ABOUT, "started", "seconds"]
    more = sorted({name for row in rows for name in row} - set(columns))
    return pd.DataFrame(rows, columns=[*columns, *more])


def ranked(frame: pd.DataFrame, metric: str, goal: str = "") -> pd.DataFrame:
    """The rows that have the metric as a number, the best first; the older one first where they are equal.

    Args:
        frame: as `runs_frame` gives it.
        metric: like `test_roc_auc`; a bare `roc_auc` is that of the test rows.
        goal: maximize or minimize; if left out, what the runs say of the metric.

    Raises:
        PlatformError: no run has the metric, or none says which direction is better.
    """
    column = _column(frame, metric)
    numbers = frame[frame[column].map(lambda value: isinstance(value, float) and math.isfinite(value))]
    wanted = goal or _goal(frame, column)
    if wanted not in GOALS:
        raise PlatformError(f"Nobody says whether {metric!r} is to be high or low. Give a goal: {' or '.join(GOALS)}.")
    if numbers.empty:
        raise PlatformError(f"No run has a number for {metric!r}. Materialize an evaluation first.")
    older = numbers.iloc[::-1]
    return older.sort_values(column, ascending=wanted == "minimize", kind="stable")


def differences(frame: pd.DataFrame) -> pd.DataFrame:
    """One column a run, one row for everything in which the runs differ: parameters, metrics and tags."""
    table = frame.set_index("run_id").transpose()
    differs = [len({"" if _missing(one) else repr(one) for one in row}) > 1 for row in table.to_numpy().tolist()]
    return table[differs]


def versions_frame(
    versions: Sequence[RegisteredVersion], projects: Sequence[str] = (), candidates: Iterable[Candidate] = ()
) -> pd.DataFrame:
    """One row a registered version: name@version, stage, status, dataset version, main metric, when.

    Below them the models that are not registered, named by the beginning of their digest.
    """
    import pandas as pd

    columns = [
        "model",
        "stage",
        "status",
        "project",
        "cutoff",
        "dataset",
        "metric",
        "score",
        "reason",
        "registered",
        "run_id",
    ]
    rows = [
        {
            "model": f"{one.name}@{one.version}",
            "stage": str(one.stage),
            "status": one.status,
            "project": one.tags.get("project", ""),
            "cutoff": one.tags.get("cutoff", ""),
            "dataset": one.tags.get("dataset_digest", "")[:SHORT],
            **_main_metric(one.tags),
            "reason": one.tags.get(REASON_TAG, str(Reason.MANUAL)),
            "registered": one.registered,
            "run_id": one.run_id,
        }
        for one in versions
        if not projects or one.tags.get("project") in projects
    ]
    rows += [
        {
            "model": f"{one.model}@{one.artifact.digest[:SHORT]}",
            "stage": "",
            "status": one.status,
            "project": one.project,
            "cutoff": one.artifact.record["cutoff"],
            "dataset": one.artifact.record["dataset"][:SHORT],
            "metric": one.metric,
            "score": one.score,
            "reason": one.artifact.record["made_by"].get(REASON_TAG, str(Reason.MANUAL)),
            "registered": None,
            "run_id": one.artifact.record["mlflow_run"],
        }
        for one in candidates
    ]
    return pd.DataFrame(rows, columns=columns)


def _row(run: RecordedRun) -> dict[str, Any]:
    about = {name: run.tags.get(name, "") for name in ("kind", *ABOUT)}
    shown = {"run_id": run.run_id, "name": run.name, "started": run.started, "seconds": run.seconds}
    return {
        **shown,
        **about,
        **{f"metrics.{name}": value for name, value in run.metrics.items()},
        **{f"params.{name}": value for name, value in run.params.items()},
        **{f"tags.{name}": value for name, value in run.tags.items() if not name.startswith("mlflow.")},
    }


def _column(frame: pd.DataFrame, metric: str) -> str:
    known = [str(name).removeprefix("metrics.") for name in frame.columns if str(name).startswith("metrics.")]
    for name in (metric, f"test_{metric}", f"validation_{metric}"):
        if name in known:
            return f"metrics.{name}"
    near = did_you_mean(metric, known)
    raise PlatformError(f"No run has a metric {metric!r}.{near} Known: {', '.join(sorted(known)) or 'none'}.")


def _goal(frame: pd.DataFrame, column: str) -> str:
    """What the newest run that knows says of the metric's name, whichever split it was measured on."""
    bare = column.removeprefix("metrics.").split("_", 1)[-1]
    for name in (column.removeprefix("metrics."), bare):
        if f"tags.goal.{name}" in frame.columns:
            said = frame[f"tags.goal.{name}"].dropna()
            return str(said.iloc[0]) if len(said) else ""
    return ""


def _main_metric(tags: Mapping[str, str]) -> dict[str, str]:
    for name, value in tags.items():
        if name.startswith("test."):
            return {"metric": name.removeprefix("test."), "score": value}
    return {"metric": "", "score": ""}


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
