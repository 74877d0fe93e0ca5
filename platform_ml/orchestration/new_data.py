"""The sensor of each project that brings its tables up to date when something was delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine.upstream import Table
from platform_ml.orchestration.automation import default_status
from platform_ml.orchestration.memory import moment
from platform_ml.orchestration.reconciling import Purpose, look
from platform_ml.orchestration.requests import asset_keys
from platform_ml.orchestration.young import young
from platform_ml.spec.automation import Automation
from platform_ml.spec.reason import Reason
from platform_ml.spec.scores import Scores

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from platform_ml.orchestration.resources import PlatformResource
    from platform_ml.spec.project import Project


@young()
def new_data(
    project: Project, platform: PlatformResource, *, clock: Callable[[], datetime] = moment
) -> dg.SensorDefinition:
    """Sources first, then what is downstream of them and can be made; what is asked for follows from the tables."""
    policy = project.automation or Automation()
    nouns = [noun.name for noun in project.nouns if isinstance(noun, Table) and not isinstance(noun, Scores)]

    @dg.sensor(
        name=f"{project.name}_new_data",
        asset_selection=dg.AssetSelection.assets(*asset_keys(project.name, nouns)),
        minimum_interval_seconds=int(policy.every.total_seconds()),
        default_status=default_status(project),
        description=(
            f"Load what was delivered to {project.name}, then make exactly the partitions of features, labels and "
            "views that can see it. A tick without runs says what it looked at and what waits for what."
        ),
        tags={"platform_ml/project": project.name},
        owners=[project.owner],
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        work = platform.work(project.name, context.log.info)
        found = look(
            project, work, context.instance, cursor=context.cursor, purpose=Purpose(reason=Reason.NEW_DATA), clock=clock
        )
        if found.requests:
            context.log.info(found.said)
        return found.result()

    return sensor
