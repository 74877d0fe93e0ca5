"""What a simulator wrote is known by its content, wherever it lies and whatever else was delivered since."""

import json
from dataclasses import replace
from datetime import date

from platform_ml.engine.landing import deliver, deliver_export
from platform_ml.engine.lineage import Load, Step
from platform_ml.engine.simulated import KIND, simulated
from platform_ml.projects.athlete import sources
from platform_ml.spec.origin import Delivered
from platform_ml.spec.window import Daily
from platform_ml_tests.engine.shop import work_in

WORLD = replace(sources.SIMULATED, athletes=20, last=date(2022, 1, 3))
SOURCE = replace(
    sources.activities,
    cadence=Daily(first=WORLD.first, last=WORLD.last),
    example=replace(sources.activities.example, by=WORLD),
)


def step(*hashes, table="athlete/activities"):
    """What lineage says of a table that was loaded from these files."""
    files = tuple(Delivered(name="2022-01-01.csv", size=1, stamp="", sha256=one) for one in hashes)
    loads = [Load.__new__(Load)]
    object.__setattr__(loads[0], "files", files)
    made = Step.__new__(Step)
    object.__setattr__(made, "table", table)
    object.__setattr__(made, "loads", tuple(loads))
    return made
