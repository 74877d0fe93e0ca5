"""Labels of single events, and views on them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from platform_ml.aggregations import Count
from platform_ml.engine import event_label
from platform_ml.engine.feature_view import NOT_AHEAD, checks, join_record
from platform_ml.features import Field, Windowed
from platform_ml.spec.errors import DeclarationError, MissingInputError
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.window import Daily
from platform_ml_tests.engine.rides import (
    arrivals,
    at,
    deliver,
    deliver_places,
    late,
    late_view,
    make,
    make_all,
    places,
    ride,
    rides,
    rides_in,
    seen,
    view_rows,
)
from platform_ml_tests.engine.shop import rows_of

KEY = "2024-03-02"


@pytest.fixture
def work(tmp_path):
    return rides_in(tmp_path)


def made(work, *found, source=rides):
    deliver(work, *found, source=source)
    assert make(work, source) == []


def test_an_event_is_a_row_at_the_moment_before_it(work):
    made(
        work,
        ride(2, at(2, 1), at(2, 2, 1), kilometres=5, driver=7, origin="n", destination="s"),
        ride(1, at(2, 0), at(2, 1), told_at=at(9)),
    )
    assert make(work, late) == []
    assert list(rows_of(work, late, [KEY])[0]) == list(late.columns)
    assert rows_of(work, late, [KEY]) == [
        {
            "ride_id": 1,
            "car": "a",
            "driver": None,
            "origin": None,
            "destination": None,
            "told_at": at(9),
            "kilometres": None,
            "event_time": at(1, 22),
            "late": False,
            "known_time": at(2, 1),
        },
        {
            "ride_id": 2,
            "car": "a",
            "driver": 7,
            "origin": "n",
            "destination": "s",
            "told_at": None,
            "kilometres": 5,
            "event_time": at(1, 23),
            "late": True,
            "known_time": at(2, 2, 1),
        },
    ]


def test_events_without_outcome_or_entity_are_not_labelled_and_are_counted(work):
    told = []
    work = replace(work, say=told.append)
    made(work, ride(1, at(2, 1), at(2, 2)), ride(2, at(2, 1)), ride(3, at(2, 1), at(2, 2), car=None))
    (done,) = event_label.materialize_event_label(late, [KEY], work=work, stamp=_stamp())
    assert [row["ride_id"] for row in rows_of(work, late)] == [1]
    assert told[-1].endswith("1 labels of 1 day up to 2024-03-02 (2 events without outcome are not labelled)")
    (finding,) = [found for found in done.findings if found.check == event_label.HORIZON]
    assert finding.passed
    assert finding.reason.endswith("1 of 3 events have an outcome.")
    assert finding.numbers == {"early": 0, "late": 0, "without_outcome": 2}


def _stamp():
    from platform_ml_tests.engine.shop import stamp

    return stamp()


@pytest.mark.parametrize(
    ("known", "passed"),
    [
        (timedelta(hours=-2), False),
        (timedelta(hours=-2, microseconds=1), True),
        (timedelta(days=2, hours=-2), True),
        (timedelta(days=2, hours=-2, microseconds=1), False),
    ],
    ids=["at the moment", "just after", "at the horizon", "after it"],
)
def test_outcomes_become_known_between_the_moment_and_its_horizon(work, known, passed):
    made(work, ride(1, at(2, 12), at(2, 12) + known))
    stopped = make(work, late, [KEY])
    if passed:
        assert stopped == []
    else:
        (found,) = stopped
        assert found.check.name == "horizon"
        assert "Declare a longer horizon or lead, or mend the times." in found.reason


def test_a_day_is_labelled_when_the_horizon_of_its_last_event_is_over(work):
    today = datetime.now(UTC).date()
    source = replace(rides, cadence=Daily(first=today - timedelta(days=9)))
    label = replace(late, source=source)
    due = [key for key in source.cadence.keys() if source.cadence.day(key) + timedelta(days=3) <= today]
    deliver(work, source=source)
    assert make(work, source) == []
    assert make(work, label, due[-1:]) == []
    after = str(source.cadence.day(due[-1]) + timedelta(days=1))
    with pytest.raises(
        MissingInputError, match=rf"partition {after}: its outcomes are known on .* Materialize it then"
    ):
        make(work, label, [after])


def test_a_view_has_one_row_per_label_row_whatever_the_groups_hold(work):
    made(
        work,
        *(ride(n, at(2, 6), at(2, 7), "ab"[n % 2], kilometres=n) for n in range(4)),
        *(ride(10 + n, at(1, n), at(1, n, 30), "b", kilometres=100 + n) for n in range(3)),
    )
    view = replace(late_view, features=(replace(arrivals, history=replace(arrivals.history, ties="last")),))
    make_all(work, view)
    found = rows_of(work, view, [KEY])
    assert [row["ride_id"] for row in found] == [0, 1, 2, 3]
    assert [row["last_km"] for row in found] == [None, 102, None, 102]
    assert [row["kilometres"] for row in found] == [0, 1, 2, 3]
    assert (view.feature_names[0], view.helper_names) == ("kilometres", list(late.carried))
    empty = rows_of(work, view, ["2024-03-05"])
    assert empty == []


def test_one_group_can_play_two_roles(work):
    by_place = FeatureGroup(
        name="by_place",
        description="Rides that began at a place.",
        source=rides,
        entity="origin",
        cadence=rides.cadence,
        features=(Field(of="kilometres", called="last_km"), *Windowed.over(timedelta(hours=9), how=Count())),
        history=replace(arrivals.history, late_days=1),
    )
    deliver_places(work, n=1, s=2, w=None)
    assert make(work, places) == []
    district = FeatureGroup(
        name="district", description="Of a place.", source=places, entity="origin", features=(Field(of="district"),)
    )
    taken = by_place.select("last_km", "count_9h")
    made(
        work,
        ride(1, at(1, 8), at(1, 9), origin="n", destination="w", kilometres=1),
        ride(2, at(1, 8), at(1, 10), origin="s", destination="w", kilometres=2),
        ride(3, at(1, 9), at(1, 11), origin="s", destination="w", kilometres=3),
        ride(4, at(1, 15), at(1, 16), origin="n", destination="s"),
        ride(5, at(1, 15), at(1, 16), origin="s", destination="w"),
    )
    groups = (taken, taken.role("to_", on={"origin": "destination"}))
    places_of = (district, district.select("district").role("to_", on={"origin": "destination"}))
    found = seen(work, *groups, helpers=places_of)
    columns = ["last_km", "count_9h", "to_last_km", "to_count_9h", "district", "to_district"]
    assert list(found[4]) == columns
    assert list(found[4].values()) == [1, 1, 3, 2, 1, 2]
    assert list(found[5].values()) == [3, 2, None, 0, 2, None]


def test_features_can_be_read_as_of_an_earlier_moment(work):
    made(
        work,
        ride(1, at(1, 8), at(1, 9), kilometres=1),
        ride(2, at(1, 10), at(1, 11), kilometres=2),
        ride(3, at(1, 15), at(1, 16), told_at=at(1, 10)),
        ride(4, at(1, 15), at(1, 16), told_at=at(1, 13)),
        ride(5, at(1, 15), at(1, 16), told_at=None),
    )
    group = arrivals.select("last_km").role("then_", at="told_at")
    found = seen(work, arrivals.select("last_km"), group)
    assert {n: tuple(row.values()) for n, row in found.items() if n > 2} == {3: (2, 1), 4: (2, 2), 5: (2, None)}


def test_features_as_of_a_later_moment_are_kept_out(work):
    made(work, ride(1, at(1, 8), at(1, 9)), ride(3, at(1, 15), at(1, 16), told_at=at(1, 13, microseconds=1)))
    view = replace(late_view, features=(arrivals.select("last_km").role("then_", at="told_at"),))
    assert NOT_AHEAD in checks(view)
    assert NOT_AHEAD not in checks(late_view)
    assert [make(work, noun) for noun in (*view.groups, late)] == [[], []]
    (stopped,) = make(work, view, ["2024-03-01"])
    assert (stopped.check, stopped.reason) == (NOT_AHEAD, "1 rows are read as of a later told_at.")
    assert join_record(view)["roles"] == [
        {"group": "arrivals", "prefix": "then_", "keys": {"car": "car"}, "as_of": "told_at"}
    ]


def test_a_name_that_the_label_has_is_not_joined_over(work):
    with pytest.raises(DeclarationError, match=r"has 'kilometres' from two places"):
        replace(late_view, features=(replace(arrivals, features=(Field(of="kilometres"),)),))


def test_what_is_predicted_is_not_seen_before_it_is_over(work):
    made(work, *(ride(n, at(1, n), at(1, n, 50), kilometres=n) for n in range(12)))
    make_all(work)
    rows = view_rows(work)
    # Two hours before ride n, ride n - 3 is over and ride n - 2 begins.
    assert [rows[n]["last_km"] for n in range(12)] == [None, None, None, *range(9)]
    assert [rows[n]["count_6h"] for n in range(12)] == [0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 6, 6]
    assert rows[11]["minutes_mean_2d"] == 50.0
    assert {row["late"] for row in rows.values()} == {False}
