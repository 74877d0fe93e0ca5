"""What an environment chooses: where things lie and what computes. The embedded default needs one folder."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from platform_ml.engine.platform import Platform, Work
from platform_ml.engine.ports import Stamp
from platform_ml.orchestration.environment import code_version
from platform_ml.orchestration.tracking import MLflow
from platform_ml.origins.stores import place
from platform_ml.spec.errors import PlatformError, did_you_mean
from platform_ml.spec.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_ml.adapters.delta import DeltaTables
    from platform_ml.engine.ports import Tables, Upkeep
    from platform_ml.engine.tuning import Spread
    from platform_ml.spec.project import Noun

DATA = "data"
LANDING = "PLATFORM_ML_LANDING"
"""The environment variable that says where suppliers deliver."""
TUNING = "PLATFORM_ML_TUNING"
"""The environment variable that says where the trials of searches run."""


class PlatformResource(dg.ConfigurableResource):
    """The embedded platform: Delta tables and artifacts in a folder, DuckDB in memory, MLflow on SQLite."""

    data: str = DATA
    """The folder; relative to where the code location was started."""
    landing: str = Field(default_factory=lambda: os.environ.get(LANDING, ""))
    """Where suppliers deliver: a folder, or the URL of one, like s3://bucket/landing; `landing` in `data` if empty.

    What it takes to get in is no part of it: AWS_ACCESS_KEY_ID, FSSPEC_S3_ENDPOINT_URL and the like are variables of
    the environment.
    """
    memory: str = "1GB"
    """What one query may use before it spills to disk."""

    tracking_uri: str = ""
    """An MLflow server; if left out that of PLATFORM_ML_TRACKING_URI, and without one SQLite in the folder."""

    tuning: str = Field(default_factory=lambda: os.environ.get(TUNING, ""))
    """Where trials of searches run: on this machine if empty; "ray": on the cluster that RAY_ADDRESS names.

    Without that variable it is a cluster of this machine. "ray-asynchronous" does not wait for the trials of a batch,
    and finds otherwise in each run.
    """

    def mlflow(self) -> MLflow:
        """The tracker and registry of this environment."""
        root = Path(self.data).resolve()
        embedded = f"sqlite:///{root / 'mlflow' / 'mlflow.db'}"
        return MLflow(
            tracking_uri=self.tracking_uri or os.environ.get("PLATFORM_ML_TRACKING_URI") or embedded,
            artifact_root=str(root / "mlflow" / "artifacts"),
            outbox=str(root / "outbox"),
        )

    def platform(self) -> Platform:
        """The adapters of this environment."""
        from platform_ml.adapters.duckdb import DuckDB
        from platform_ml.adapters.folders import Folders
        from platform_ml.adapters.journals import SqliteJournals

        root, store = Path(self.data).resolve(), self.mlflow()
        return Platform(
            landing=place(self.landing) if self.landing else root / "landing",
            tables=self._tables("tables"),
            compute=DuckDB(memory=self.memory),
            artifacts=Folders(root / "artifacts"),
            tracker=store.tracker(),
            registry=store.registry(),
            journals=SqliteJournals(root),
            spread=self._spread(),
        )

    def upkeep(self) -> Upkeep:
        """Who keeps the tables of this environment in order."""
        return self._tables("tables")

    def scratch(self, folder: Path) -> Callable[[str], Tables]:
        """Stores of tables below a folder that somebody else removes."""
        return lambda name: self._tables(str(folder / name))

    def _spread(self) -> Spread | None:
        if not self.tuning:
            return None
        from platform_ml.adapters.ray_tune import RayTune

        places = {"ray": RayTune(), "ray-asynchronous": RayTune(asynchronous=True)}
        if self.tuning not in places:
            raise PlatformError(
                f"{TUNING}={self.tuning!r} is no place for trials.{did_you_mean(self.tuning, places)} "
                f"Use one of {', '.join(places)}, or leave it empty."
            )
        return places[self.tuning]

    def _tables(self, folder: str) -> DeltaTables:
        from platform_ml.adapters.delta import DeltaTables

        return DeltaTables(Path(self.data).resolve() / folder)

    def work(self, project: str, say: Callable[[str], None]) -> Work:
        """The platform at work for one project."""
        return Work(project=project, platform=self.platform(), say=say)


def stamp(context: dg.AssetExecutionContext, noun: Noun) -> Stamp:
    """Who writes. A retry starts later, so its token is newer and a zombie of the first attempt is refused."""
    record = context.instance.get_run_record_by_id(context.run.run_id)
    started = record.start_time if record and record.start_time else time.time()
    return Stamp(
        run_id=context.run.run_id,
        asset=context.asset_key.to_user_string(),
        fingerprint=fingerprint(noun),
        code_version=code_version(),
        token=int(started * 1_000_000) + context.op_execution_context.retry_number,
    )
