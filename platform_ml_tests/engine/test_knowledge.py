"""What was known when, as the platform's commits say: late, changed and removed rows, and the first load."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from platform_ml.aggregations import Count
from platform_ml.aggregations import Total as Sum
from platform_ml.engine.feature_view import inputs
from platform_ml.features import Field, Total, Windowed
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.history import AsOf, Committed, History, PerRow, ValidTime
from platform_ml_tests.engine.rides import (
    Clock,
    arrivals,
    at,
    deliver,
    late,
    make,
    ride,
    rides,
    rides_in,
    view_rows,
)

SINCE = date(2024, 3, 5)
LOADED, CORRECTED = at(5, 9), at(6, 12)
KNOWN = Committed(since=SINCE)
last = replace(
    arrivals,
    name="last",
    features=(Field(of="kilometres", called="last_km"),),
    history=replace(arrivals.history, known=KNOWN),
)
windows = replace(
    last,
    name="windows",
    features=(
        *Windowed.over(timedelta(days=7), how=Count()),
        *Windowed.over(timedelta(days=7), how=Sum(of="kilometres")),
    ),
)
snapshots = FeatureGroup(
    name="snapshots",
    description="Kilometres of a week, every day.",
    source=rides,
    entity="car",
    cadence=rides.cadence,
    features=(Total(days=7, of="kilometres"),),
    history=History(known=KNOWN),
)
BEFORE, AFTER = CORRECTED - timedelta(microseconds=1), CORRECTED
HISTORY = (
    ride(1, at(1, 8), at(1, 9), "removed", kilometres=1),
    ride(2, at(2, 8), at(2, 9), "removed", kilometres=2),
    ride(3, at(2, 8), at(2, 9), "changed", kilometres=3),
    ride(4, at(1, 8), at(1, 9), "late", kilometres=4),
)
MENDED = (
    ride(3, at(2, 8), at(2, 9), "changed", kilometres=30),
    ride(5, at(2, 8), at(2, 9), "late", kilometres=40),
)
CARS = ("removed", "changed", "late")
ASKED = [
    ride(10 * n + k, moment + timedelta(hours=2), moment + timedelta(hours=3), car)
    for n, car in enumerate(CARS, 1)
    for k, moment in enumerate((BEFORE, AFTER))
]
OLD = {
    "last_km": {"removed": 2, "changed": 3, "late": 4},
    "count_7d": {"removed": 2, "changed": 1, "late": 1},
    "kilometres_total_7d": {"removed": 3, "changed": 3, "late": 4},
}
NEW = {
    "last_km": {"removed": 1, "changed": 30, "late": 40},
    "count_7d": {"removed": 1, "changed": 1, "late": 2},
    "kilometres_total_7d": {"removed": 1, "changed": 30, "late": 44},
}


def view_of(*features, knowledge=None, name="known_view"):
    return FeatureView(name=name, description="A view.", label=late, features=features, knowledge=knowledge or PerRow())


VIEW = view_of(last, windows)


@pytest.fixture(scope="module")
def corrected(tmp_path_factory):
    """Loaded on the fifth, mended at noon of the sixth."""
    clock = Clock(LOADED)
    work = rides_in(tmp_path_factory.mktemp("corrected"), clock=clock)
    deliver(work, *HISTORY, *ASKED)
    for noun in (rides, last, windows, snapshots, late):
        assert make(work, noun) == []
    clock.now = CORRECTED
    deliver(work, *MENDED, days=["2024-03-02"])
    for noun in (rides, last, windows, late):
        assert make(work, noun, ["2024-03-02"], token=2) == []
    assert make(work, snapshots, token=2) == []
    return work


def said(work, view):
    """Column → car → what the view says at the moments before and after the correction."""
    assert make(work, view, ["2024-03-06"]) == []
    rows = view_rows(work, view)
    return {
        name: {car: (rows[10 * n][name], rows[10 * n + 1][name]) for n, car in enumerate(CARS, 1)}
        for name in view.joined
    }


def both(before, after):
    return {name: {car: (found[car], after[name][car]) for car in CARS} for name, found in before.items()}


@pytest.mark.parametrize(
    ("knowledge", "expected"),
    [
        (PerRow(), both(OLD, NEW)),
        (ValidTime(), both(NEW, NEW)),
        (AsOf(moment=BEFORE), both(OLD, OLD)),
        (AsOf(moment=AFTER), both(NEW, NEW)),
        (AsOf(moment=at(3)), both(OLD, OLD)),
    ],
    ids=["per row", "valid time", "as of before", "as of after", "as of a day before the load"],
)
def test_events_are_seen_as_they_were_known(corrected, knowledge, expected):
    named = f"known_{type(knowledge).__name__.lower()}_{getattr(knowledge, 'microseconds', 0)}"
    assert said(corrected, replace(VIEW, knowledge=knowledge, name=named)) == expected


@pytest.mark.parametrize(
    ("knowledge", "before", "after"),
    [(PerRow(), OLD, NEW), (ValidTime(), NEW, NEW), (AsOf(moment=BEFORE), OLD, OLD), (AsOf(moment=AFTER), NEW, NEW)],
    ids=["per row", "valid time", "as of before", "as of after"],
)
def test_snapshots_are_seen_as_they_were_known(corrected, knowledge, before, after):
    named = f"snapshots_{type(knowledge).__name__.lower()}_{getattr(knowledge, 'microseconds', 0)}"
    found = said(corrected, view_of(snapshots, knowledge=knowledge, name=named))
    total = "kilometres_total_7d"
    assert found == {"kilometres_sum_7d": both(before, after)[total]}


def test_from_the_day_on_that_is_declared_only_commits_count(tmp_path):
    """A ride of the sixth comes on the eighth: who is predicted before does not know of it."""
    clock = Clock(LOADED)
    work = rides_in(tmp_path, clock=clock)
    deliver(
        work,
        ride(1, at(4, 8), at(4, 9), kilometres=1),
        ride(2, at(6, 8), at(6, 9), kilometres=2),
        *(ride(10 + day, at(day, 2), at(day, 3)) for day in (7, 8, 9)),
    )
    clock.now = at(8, 12)
    view = view_of(last.select("last_km"), windows.select("count_7d"), name="since")
    for noun in (rides, last, windows, late, view):
        assert make(work, noun) == []
    rows = view_rows(work, view)
    # Rides 17 and 18 themselves are part of the load of the eighth.
    assert {n: (rows[n]["last_km"], rows[n]["count_7d"]) for n in (17, 18, 19)} == {
        17: (1, 1),
        18: (1, 1),
        19: (None, 4),
    }


def test_a_column_says_when_rows_became_known(tmp_path):
    work = rides_in(tmp_path)
    group = replace(last, history=replace(arrivals.history, created="told_at", late_days=1))
    counted = replace(windows, history=group.history)
    told = at(3, 10)
    deliver(
        work,
        ride(1, at(2, 8), at(2, 9), kilometres=1, told_at=at(2, 9)),
        ride(2, at(2, 10), at(2, 11), kilometres=2, told_at=told),
        ride(3, at(2, 12), at(2, 13), kilometres=3, told_at=None),
        *(ride(10 + n, told + timedelta(hours=2, microseconds=n - 1), told + timedelta(hours=3)) for n in range(2)),
    )
    assert [make(work, noun) for noun in (rides, group, counted, late)] == [[]] * 4
    found = {}
    for knowledge in (PerRow(), ValidTime(), AsOf(moment=told), AsOf(moment=at(3, 9))):
        named = f"told_{len(found)}"
        view = view_of(group.select("last_km"), counted.select("count_7d"), knowledge=knowledge, name=named)
        assert make(work, view, ["2024-03-03"]) == []
        rows = view_rows(work, view)
        found[str(knowledge)] = [(rows[n]["last_km"], rows[n]["count_7d"]) for n in (10, 11)]
    assert list(found.values()) == [[(1, 1), (2, 2)], [(3, 3), (3, 3)], [(2, 2), (2, 2)], [(1, 1), (1, 1)]]


def test_a_correction_touches_only_moments_that_know_of_it(corrected):
    """Views of earlier moments keep what they said, and are not stale either."""
    snapshot = corrected.read(last, [])
    tables = {last.name: snapshot, windows.name: corrected.read(windows, []), late.name: corrected.read(late, [])}
    pinned = tables | {name: corrected.platform.tables.snapshot(f"shop/{name}", 1) for name in ("last", "windows")}
    touched = [key for key in rides.cadence.keys() if inputs(VIEW, key, tables) != inputs(VIEW, key, pinned)]
    assert touched == [key for key in rides.cadence.keys() if key >= str(CORRECTED.date())]
    newest = replace(VIEW, knowledge=ValidTime())
    touched = [key for key in rides.cadence.keys() if inputs(newest, key, tables) != inputs(newest, key, pinned)]
    assert touched == [key for key in rides.cadence.keys() if key >= "2024-03-02"]


def test_commits_of_a_partition_have_different_times(tmp_path):
    """Also when the clock stands still, or goes back."""
    clock = Clock(LOADED)
    work = rides_in(tmp_path, clock=clock)
    key = "2024-03-02"
    for token, (hours, kilometres) in enumerate([(0, 1), (0, 2), (-5, 3)], 1):
        clock.now = LOADED + timedelta(hours=hours)
        deliver(work, ride(1, at(2, 8), at(2, 9), kilometres=kilometres), days=[key])
        assert make(work, rides, [key], token=token) == []
    states = work.read(rides, [key]).states(key)
    assert [state.created - LOADED for state in states] == [timedelta(microseconds=n) for n in range(3)]
