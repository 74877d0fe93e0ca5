"""A new day is read and joined once, and what comes late makes stale exactly what it can reach."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from platform_ml.aggregations import Count
from platform_ml.engine.platform import Work
from platform_ml.engine.staleness import CHANGED, UPSTREAM, stale
from platform_ml.engine.training_dataset import materialize_training_dataset
from platform_ml.features import Field, Total, Windowed
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.history import History
from platform_ml_tests.engine.rides import (
    FIRST,
    arrivals,
    at,
    deliver,
    late,
    make,
    project_of,
    ride,
    rides,
    rides_in,
)

KEYS = rides.cadence.keys()
last = replace(
    arrivals,
    name="last",
    features=(Field(of="kilometres", called="last_km"),),
    history=replace(arrivals.history, ttl=timedelta(days=1), late_days=1),
)
ever = replace(
    last, name="ever", features=(Field(of="kilometres", called="ever_km"),), history=replace(last.history, ttl=None)
)
counts = replace(
    last,
    name="counts",
    features=Windowed.over(timedelta(hours=30), how=Count()),
    history=History(bound="<", delay=timedelta(hours=6)),
)
totals = FeatureGroup(
    name="totals",
    description="Kilometres of three days, every day.",
    source=rides,
    entity="car",
    cadence=rides.cadence,
    features=(Total(days=3, of="kilometres"),),
)
VIEWS = {
    group.name: FeatureView(name=f"{group.name}_view", description="A view.", label=late, features=(group,))
    for group in (last, ever, counts, totals)
}


def days(first, last):
    return [key for key in KEYS if str(first) <= key <= str(last)]


def march(day):
    return FIRST + timedelta(days=day - 1)


def busy(day):
    """Rides of one day; some are slow, and two are predicted at midnight."""
    every = [
        ride(
            100 * day + n,
            at(day, 2 * n),
            at(day, 2 * n, 30 + 40 * (n % 2)),
            "ab"[n % 3 % 2],
            kilometres=day + n,
            origin="n",
        )
        for n in range(12)
    ]
    return [ride(100 * day + 99, at(day, 2), at(day, 2, 30), "c", kilometres=day), *every]


@pytest.fixture(scope="module")
def _built(tmp_path_factory):
    work = rides_in(tmp_path_factory.mktemp("built"))
    deliver(work, *(one for day in range(1, 11) for one in busy(day)))
    for noun in (rides, last, ever, counts, totals, late, *VIEWS.values()):
        assert make(work, noun) == []
    return work.platform.landing.parent


@pytest.fixture
def built(tmp_path, _built) -> Work:
    return rides_in(shutil.copytree(_built, tmp_path / "built"))


@pytest.mark.parametrize("name", VIEWS)
def test_a_late_ride_makes_exactly_stale_what_can_see_it(built, name):
    """What is stale is the partitions that would come out otherwise, if any row of the day changed."""
    view, late_day = VIEWS[name], march(4)
    deliver(built, *busy(4)[:-1], days=[str(late_day)])
    group = view.groups[0]
    rows = {"totals": days(march(4), march(6))}.get(name, [str(late_day)])
    # last: rides of the fourth end until the fifth, are seen for a day, two hours ahead: at the latest on the seventh.
    reached = {
        "last": days(march(4), march(7)),
        "ever": days(march(4), march(10)),
        # 30 hours, from six hours before: until noon of the sixth, which two hours ahead is still the sixth.
        "counts": days(march(4), march(6)),
        # The snapshots of the ends of the fourth to the sixth speak for the day after each.
        "totals": days(march(5), march(8)),
    }[name]
    found = stale(project_of(view), built)
    assert found.pop("rides") == {str(late_day): CHANGED}
    assert found.pop("late") == {str(late_day): UPSTREAM}
    assert found.pop(group.name) == dict.fromkeys(rows, UPSTREAM)
    assert sorted(found[view.name]) == sorted({str(late_day), *reached})
    for noun, keys in ((rides, [str(late_day)]), (group, rows), (late, [str(late_day)])):
        assert make(built, noun, keys) == []
    found = stale(project_of(view), built)
    assert found == {view.name: dict.fromkeys(sorted({str(late_day), *reached}), CHANGED)}
    assert make(built, view, sorted(found[view.name])) == []
    assert stale(project_of(view), built) == {}


def files(work, noun):
    return {key: [file.path for file in state.files] for key, state in work.read(noun, []).partitions.items()}


@pytest.mark.parametrize("name", VIEWS)
def test_a_new_day_reads_and_joins_itself_alone(tmp_path, name):
    view = VIEWS[name]
    group, project = view.groups[0], project_of(view)
    (dataset,) = (noun for noun in project.nouns if noun.name == "late_dataset")
    work = rides_in(tmp_path)
    deliver(work, *(one for day in range(1, 11) for one in busy(day)))
    for noun in (rides, group, late, view):
        assert make(work, noun, KEYS[:-1]) == []
    before = files(work, view)
    assert all(before[key] for key in KEYS[1:-1])
    recorded = work.platform.compute
    for noun in (rides, group, late):
        assert make(work, noun, KEYS[-1:]) == []
    recorded.read.clear()
    assert make(work, view, KEYS[-1:]) == []
    assert recorded.partitions(work, late) == KEYS[-1:]
    reach = {"last": 4, "ever": 10, "counts": 4, "totals": 3}[name]
    read = recorded.partitions(work, group)
    assert set(read) <= set(KEYS[-reach:])
    if name != "ever":
        assert len(read) < 5
    assert recorded.partitions(work, view) == []
    assert recorded.partitions(work, rides) == []
    assert {key: paths for key, paths in files(work, view).items() if key in before} == before
    recorded.read.clear()
    built = materialize_training_dataset(dataset, KEYS[-1], work=work, made_by={})
    assert [finding.reason for finding in built.findings if finding.stops] == []
    assert recorded.partitions(work, view) == KEYS
    assert [recorded.partitions(work, noun) for noun in (rides, late, group)] == [[], [], []]


def test_an_unchanged_file_changes_nothing_downstream(built):
    """The same rows in another file: the source is read again, and that is all."""
    from platform_ml.engine.feed import landing_file

    view = VIEWS["last"]
    file = landing_file(rides, "2024-03-04", built)
    pq.write_table(pq.read_table(file), file, compression="none", use_dictionary=False)
    found = stale(project_of(view), built)
    assert found["rides"] == {"2024-03-04": CHANGED}
    assert make(built, rides, ["2024-03-04"]) == []
    assert stale(project_of(view), built) == {}
