"""Runs and models for notebooks and programs: tables as pandas frames, and registered models to predict with.

    from platform_ml.tracking import best_run, compare_runs, load_model, models, runs

They read the store of the environment: `data/mlflow` below the working directory, or the server that
PLATFORM_ML_TRACKING_URI names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from platform_ml.engine.registered_model import RegisteredModel
    from platform_ml.orchestration.tracking import MLflow


def runs(project: str, *, trials: bool = False) -> pd.DataFrame:
    """The finished runs of a project, newest first: searches, single fits, baselines, ablations.

    Args:
        project: its name.
        trials: also the trials of the searches.
    """
    from platform_ml.engine.comparison import runs_frame

    return runs_frame(_store().tracker(), project, trials=trials)


def best_run(metric: str, *, project: str, goal: str = "", trials: bool = False) -> pd.Series:
    """The run with the best value of a metric: `test_roc_auc`, or `roc_auc` for short.

    Args:
        metric: as the tracker names it; a metric that is no number in a run leaves that run out.
        project: whose runs.
        goal: "maximize" or "minimize"; if left out, as the metric says itself.
        trials: whether a trial of a search may be the best.
    """
    from platform_ml.engine.comparison import ranked

    return ranked(runs(project, trials=trials), metric, goal).iloc[0]


def compare_runs(run_ids: Sequence[str], *, project: str) -> pd.DataFrame:
    """Everything in which some runs differ, one column a run; a run is named by its id or the beginning of it."""
    from platform_ml.engine.comparison import differences

    found = runs(project, trials=True)
    rows = []
    for wanted in run_ids:
        fits = [number for number, run_id in enumerate(found["run_id"]) if run_id.startswith(wanted)]
        if len(fits) != 1:
            what = "fits more than one run" if fits else "is no run"
            raise PlatformError(f"{wanted!r} {what} of {project!r}. Take an id from `platform-ml runs {project}`.")
        rows += fits
    return differences(found.iloc[rows])


def models(project: str = "") -> pd.DataFrame:
    """The registered versions, by name, newest first; of one project, or of all."""
    from platform_ml.engine.comparison import versions_frame

    return versions_frame(_store().registry().versions(), [project] if project else [])


def load_model(name: str) -> RegisteredModel:
    """A registered model, from which `predict` takes rows as an Arrow table or a pandas frame.

        load_model("retail/churn@champion").predict(rows)

    Every file of the version is compared with the checksum that it was registered with before any is read, and is
    then read by the declared family's own reader: no pickle, no code of the version itself.

    Args:
        name: [PROJECT/]MODEL[@VERSION]; VERSION is a number, champion or challenger, and champion if left out.

    Raises:
        Refused: a file was changed, cut off, removed or added; or another declaration made the model.
        PlatformError: there is no such model or version.
    """
    from platform_ml.engine.registered_model import load_registered
    from platform_ml.projects import PROJECTS

    return load_registered(name, PROJECTS, _store().registry())


def _store() -> MLflow:
    from platform_ml.orchestration.resources import PlatformResource

    return PlatformResource().mlflow()
