"""The retail project's data folders, cut down to what a test can wait for."""

import shutil
from pathlib import Path

import dagster as dg
import pyarrow.compute as pc
import pyarrow.parquet as pq

from platform_ml.engine import landing
from platform_ml.orchestration.build import project_assets
from platform_ml.orchestration.resources import PlatformResource

ROOT = Path(__file__).resolve().parents[2]
CUTOFF = "2017-12-02"


class Shop:
    """A data folder and a Dagster instance."""

    def __init__(self, folder: Path) -> None:
        self.platform = PlatformResource(data=str(folder / "data"))
        shutil.copy(ROOT / "dagster.yaml", folder)
        self.instance = dg.DagsterInstance.local_temp(str(folder))
        self.work = self.platform.work("retail", lambda _: None)

    def run(self, project, names, *, partition=None, span=None):
        ends = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
        return dg.materialize(
            list(project_assets(project)),
            selection=[dg.AssetKey(["retail", name]) for name in names],
            partition_key=partition,
            tags=dict(zip(ends, span, strict=True)) if span else None,
            resources={"platform": self.platform},
            instance=self.instance,
            raise_on_error=False,
        )

    def failure(self, result):
        return "\n".join(
            event.step_failure_data.user_failure_data.description or str(event.step_failure_data.error)
            if event.step_failure_data.user_failure_data
            else str(event.step_failure_data.error)
            for event in result.get_step_failure_events()
        )


def land(work, source, chosen=None) -> None:
    """Deliver a source of the package, or of each partition only the chosen rows."""
    landing.deliver(source, work=work)
    for file in sorted((work.platform.landing / work.project / source.name).glob("*.parquet")) if chosen else ():
        rows = pq.read_table(file)
        pq.write_table(rows.filter(chosen(rows)), file)


def of_an_eighth(rows):
    return pc.equal(pc.bit_wise_and(rows["household_id"], 7), 3)
