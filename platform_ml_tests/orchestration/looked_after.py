"""The small project of six days as a code location, and its backfill as a command."""

import dagster as dg

from platform_ml.orchestration.backfill import Backfill, Wish
from platform_ml.orchestration.build import project_assets
from platform_ml.orchestration.resources import PlatformResource
from platform_ml_tests.orchestration.watched import project_of

shop = project_of(6)
defs = dg.Definitions(
    assets=project_assets(shop), resources={"platform": PlatformResource()}, executor=dg.in_process_executor
)


def main():
    """The command, with all steps in this process."""
    with dg.DagsterInstance.get() as instance:
        work = PlatformResource().work(shop.name, print)
        return Backfill(wish=Wish(project=shop), instance=instance, work=work, definitions=__name__).run()
