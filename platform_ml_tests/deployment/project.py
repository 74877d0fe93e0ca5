"""A code location that loads fast: orders of some days, and what customers bought, in the folder of a deployment.

Files in DAGSTER_HOME steer it from outside: `hold` keeps every run where it reads its files, `wanted` names the days
that the sensor asks runs for, `broken` makes the code fail to load. A variable says which version is deployed.
"""

import os
import time
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import dagster as dg

from platform_ml.features import Total
from platform_ml.formats import Parquet
from platform_ml.orchestration.build import project_assets
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.project import Project
from platform_ml.spec.reason import REASON_TAG, Reason
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily
from platform_ml.testing import declarations

HOME = Path(os.environ.get("DAGSTER_HOME", "."))
FIRST = date(2024, 1, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(24)]
VERSION = "DEPLOYED_VERSION"

if (HOME / "broken").exists():
    raise RuntimeError("This code cannot be loaded.")


@dataclass(frozen=True, kw_only=True)
class Held(Parquet):
    """Parquet that waits to be read while there is a file `hold`."""

    version: int = 1

    def problem(self, path):
        hold, held = HOME / "hold", HOME / f"held-{os.getpid()}"
        while hold.exists():
            held.touch()
            time.sleep(0.05)
        held.unlink(missing_ok=True)
        return super().problem(path)


def version(number):
    """The project as its n-th version declares it."""
    orders = replace(declarations.orders, format=Held(version=number), cadence=Daily(first=FIRST, last=DAYS[-1]))
    days = replace(
        declarations.order_history, source=orders, cadence=orders.cadence, features=(Total(days=1, of="amount"),)
    )
    return Project(name="deployed", description="Orders.", owner="team:shop", outputs=(days,))


project = version(int(os.environ.get(VERSION, "1")))
[orders] = project.all(Source)
job = dg.define_asset_job("load", [dg.AssetKey([project.name, orders.name])], executor_def=dg.in_process_executor)


@dg.sensor(job=job, minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def wanted(context):
    """A run for each day that is asked for."""
    asked = HOME / "wanted"
    days = asked.read_text().split() if asked.exists() else []
    tags = {REASON_TAG: Reason.NEW_DATA.value}
    yield from (dg.RunRequest(run_key=day, partition_key=day, tags=tags) for day in days)


@dg.sensor(job=job, minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def raising(_):
    """Stops nobody but itself."""
    raise RuntimeError("This sensor cannot look.")


defs = dg.Definitions(
    assets=project_assets(project),
    jobs=[job],
    sensors=[raising, wanted],
    resources={"platform": PlatformResource(data=str(HOME / "data"), memory="200MB")},
    executor=dg.in_process_executor,
)
