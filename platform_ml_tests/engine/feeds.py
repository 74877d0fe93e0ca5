"""Visits as CSV files: one a day, or several."""

from dataclasses import replace
from datetime import date, timedelta

from platform_ml.engine.arrivals import arrivals
from platform_ml.features import Count
from platform_ml.origins import Files
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.project import Project
from platform_ml.spec.window import Daily
from platform_ml.testing.origins import DAY, NEXT, visits
from platform_ml_tests.engine.shop import make

AFTER = "2024-03-03"
DAYS = [DAY, NEXT, AFTER]
SETTLED = Files(settle=timedelta(0))
ONE = replace(
    visits, origin=SETTLED, cadence=Daily(first=date(2024, 3, 1), last=date(2024, 3, 3)), max_rejected_share=0.5
)
MANY = replace(ONE, origin=replace(SETTLED, pattern="{key}/*.csv"))


def csv(ids, day):
    return "".join(f"{line}\n" for line in ["id,at", *(f"{n},{day}T12:00:00Z" for n in ids)])


def put(work, name, ids, day=None):
    """A file in the source's folder."""
    file = work.platform.landing / "shop/visits" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(csv(ids, day or name[:10]))
    return file


def load(work, source, *keys, token=1):
    (done,) = make(work, source, list(keys), token=token)
    return done


def project_of(source):
    """As much of a project as a source needs to be in one."""
    group = FeatureGroup(
        name="came",
        description="How often somebody came.",
        source=source,
        entity="id",
        cadence=source.cadence,
        features=(Count(days=7),),
    )
    return Project(name="shop", description="A shop.", owner="team:shop", outputs=(group,))


def look(work, source):
    return arrivals(project_of(source), work)


def statuses(work, source):
    """Partition, or name that belongs nowhere → status."""
    return {one.partition or one.reason.split(":")[0]: one.status for one in look(work, source)}


def reason(work, source, key):
    return next(one.reason for one in look(work, source) if one.partition == key)
