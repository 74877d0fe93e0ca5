"""What a simulator wrote is known by its content, wherever it lies and whatever else was delivered since."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

from platform_ml.engine.content import file_sha256
from platform_ml.engine.feed import landing_file
from platform_ml.engine.landing import deliver
from platform_ml.engine.simulated import KIND, remember, simulated
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


def loaded(*hashes, table="shop/activities"):
    """A step of lineage that read files of this content."""
    files = tuple(Delivered(name="2022-01-01.csv", size=1, stamp="", sha256=one) for one in hashes)
    return SimpleNamespace(table=table, loads=(SimpleNamespace(files=files),))


def test_files_are_told_apart_by_what_is_in_them(tmp_path):
    work = work_in(tmp_path)
    assert simulated([loaded("ab")], work=work) == ""
    deliver(SOURCE, work=work)
    written = file_sha256(landing_file(SOURCE, "2022-01-03", work))
    assert simulated([loaded("ab", written)], work=work).startswith("Simulated: no row of activities was observed.")
    assert simulated([loaded("ab")], work=work) == ""
    for name in ("races", "athletes"):
        remember(replace(SOURCE, name=name), [written], work=work)
    every = [loaded(written, table=f"shop/{name}") for name in ("races", "athletes", "activities")]
    assert "no row of activities, athletes and races was observed" in simulated(every, work=work)
    assert simulated([loaded(written, table="shop/orders")], work=work) == ""


def test_what_is_delivered_later_is_added(tmp_path):
    work = work_in(tmp_path)
    deliver(SOURCE, work=work)
    written = file_sha256(landing_file(SOURCE, "2022-01-03", work))
    landing_file(SOURCE, "2022-01-02", work).unlink()
    deliver(SOURCE, work=work)
    assert simulated([loaded(written)], work=work)
    assert work.platform.artifacts.newest(f"{KIND}/shop/activities/all").record["known"] == 3
