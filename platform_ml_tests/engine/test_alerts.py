"""The laws of telling: nothing twice, nothing never, and that it is over once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_ml.engine.alerts import Pace, Problem, over, seen, tell
from platform_ml.spec.alert import Alert, Kind, Passed, Severity, Trouble, cause_of, listed

START = datetime(2024, 6, 10, tzinfo=UTC)
PACE = Pace()
VOLUME = Trouble(
    kind=Kind.CHECK,
    severity=Severity.ERROR,
    project="shop",
    asset="orders",
    cause="volume",
    partitions=("mon",),
    why="volume: 3 rows.",
    step="platform-ml arrivals shop orders",
    link="http://ui/runs/1",
    owner="team:shop",
)
RIGHT = Passed(kinds=(Kind.CHECK,), project="shop", asset="orders", partitions=("mon",), cause="volume")


def told(problems, now, pace=PACE):
    after, alerts = tell(problems, now, pace)
    return {one.newest.problem: one for one in after}, alerts


def test_the_same_is_told_once_with_a_count_and_that_it_is_over_once():
    after, (first,) = told([seen(None, VOLUME, START)], START)
    assert (first.what, first.count, first.resolved) == ("Check failed: shop/orders, mon", 1, False)
    (problem,) = after.values()
    for hour in range(1, 24):
        problem = seen(problem, VOLUME, START + timedelta(hours=hour))
        assert told([problem], START + timedelta(hours=hour)) == ({}, [])
    after, (again,) = told([problem], START + timedelta(hours=24))
    assert again.count == 23
    assert again.why == "volume: 3 rows. Open since 2024-06-10 00:00 UTC."
    problem = over(after[VOLUME.problem], RIGHT)
    after, (resolved,) = told([problem], START + timedelta(hours=25))
    assert resolved.what == "Resolved, check failed: shop/orders, mon"
    assert resolved.why == "volume passed again; it was open since 2024-06-10 00:00 UTC."
    assert told(after.values(), START + timedelta(hours=26)) == ({}, [])


def test_more_partitions_of_the_same_cause_are_told_together_later():
    after, _ = told([seen(None, VOLUME, START)], START)
    problem = after[VOLUME.problem]
    for n, day in enumerate(("tue", "wed"), 1):
        problem = seen(problem, replace(VOLUME, partitions=(day,)), START + timedelta(minutes=n))
        assert told([problem], START + timedelta(minutes=n)) == ({}, [])
    _, (more,) = told([problem], START + PACE.quiet)
    assert more.partitions == ("tue", "wed")


def test_several_checks_of_one_asset_are_one_message_by_the_worst():
    mild = replace(VOLUME, cause="fresh", severity=Severity.WARNING, why="fresh: 3 days old.")
    _, (alert,) = told([seen(None, mild, START), seen(None, VOLUME, START)], START)
    assert (alert.severity, alert.why) == (Severity.ERROR, "fresh: 3 days old. volume: 3 rows.")


def test_what_is_over_before_it_was_told_is_not_told():
    assert told([over(seen(None, VOLUME, START), RIGHT)], START) == ({}, [])


@pytest.mark.parametrize(
    "other", [{"asset": "customers"}, {"project": "bank"}, {"kinds": (Kind.RUN,)}, {"cause": "fresh"}], ids=str
)
def test_something_else_that_passes_ends_nothing(other):
    problem = seen(None, VOLUME, START)
    assert over(problem, replace(RIGHT, **other)) is problem
    assert not over(problem, replace(RIGHT, cause=None)).open


DAYS = ("mon", "tue", "wed")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["fails", "passes"]),
        st.sets(st.sampled_from(DAYS), min_size=1).map(lambda found: tuple(sorted(found))),
        st.integers(0, 30 * 60),
    ),
    max_size=25,
)


@given(STEPS)
def test_laws_of_telling(steps):
    """Who reads only the messages knows in the end what is open, and never reads the same twice too soon."""
    problem, now, known, failures = None, START, set(), []
    for what, days, minutes in [*steps, ("nothing", (), 25 * 60)]:
        now += timedelta(minutes=minutes)
        if what == "fails":
            problem = seen(problem, replace(VOLUME, partitions=days), now)
        elif what == "passes" and problem:
            problem = over(problem, replace(RIGHT, partitions=days))
        after, alerts = told([problem] if problem else [], now)
        problem = after.get(VOLUME.problem, problem)
        assert len(alerts) <= 1
        for alert in alerts:
            if alert.resolved:
                assert known, "it is over, and nobody knew that it was wrong"
                assert not problem.open
                known = set()
            else:
                assert set(alert.partitions) <= set(problem.open)
                assert not failures or now - failures[-1] >= PACE.quiet
                assert known.isdisjoint(alert.partitions) or now - failures[-1] >= PACE.quiet
                known |= set(alert.partitions)
                failures.append(now)
        assert problem is None or Problem.from_json(problem.to_json()) == problem
    assert (set(problem.open) if problem else set()) <= known
    assert bool(known) == bool(problem and problem.open)


def test_runs_digests_numbers_and_times_are_no_part_of_a_cause():
    first = "Commit 3f2a9c1b of 2024-06-10T07:00 failed after 1,204 rows (run 6b1c7d0e-8a4f-4c7e-9b1e-0a1b2c3d4e5f)"
    other = "Commit 77ab10ff of 2024-06-11T09:30 failed after 988 rows (run 00000000-8a4f-4c7e-9b1e-0a1b2c3d4e5f)"
    assert cause_of(first) == cause_of(other) == "Commit # of # failed after # rows (run #)"
    assert cause_of("out of memory") != cause_of("disk is full")


def test_an_alert_is_what_it_was_after_it_was_written_down():
    (alert,) = told([seen(None, VOLUME, START)], START)[1]
    assert Alert.from_json(alert.to_json()) == alert
    assert listed(("",)) == ""
    assert listed(tuple(f"2024-06-{day:02}" for day in range(10, 20))) == "10 partitions, 2024-06-10 to 2024-06-19"
