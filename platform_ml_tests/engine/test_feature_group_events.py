"""Groups of events, from files to what a view says of them."""

from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest

from platform_ml.aggregations import Count
from platform_ml.engine.feature_group import materialize_feature_group
from platform_ml.engine.ports import WHOLE
from platform_ml.features import Exists, Field, Windowed
from platform_ml.spec.errors import DeclarationError, RowsError
from platform_ml.spec.feature_group import Derived, FeatureGroup, Lookup
from platform_ml.spec.history import History
from platform_ml.spec.schema import Column, Integer, Text, Timestamp
from platform_ml_tests.engine.rides import (
    RIDE,
    arrivals,
    at,
    deliver,
    deliver_places,
    late,
    make,
    places,
    ride,
    rides,
    rides_in,
    seen,
)
from platform_ml_tests.engine.shop import rows_of, stamp, write

KEY = "2024-03-01"


@pytest.fixture
def work(tmp_path):
    return rides_in(tmp_path)


def made(work, *found, source=rides):
    deliver(work, *found, source=source)
    assert make(work, source) == []


def of(group, **history):
    return replace(group, history=replace(group.history, **history))


def asked(which, leaves, car="a", **more):
    """A ride that is only predicted: it has an outcome, but the groups below do not see it before it is over."""
    return ride(which, leaves, leaves + timedelta(minutes=30), car, **more)


def test_rows_have_their_own_event_time(work):
    told = []
    work = replace(work, say=told.append)
    made(work, ride(1, at(1, 23), at(2, 1), kilometres=7), ride(2, at(1, 5)), ride(3, at(1, 6), at(1, 7), car=None))
    assert make(work, arrivals) == []
    assert rows_of(work, arrivals) == [{"car": "a", "event_time": at(2, 1), "kilometres": 7, "origin": None}]
    assert told[-1].endswith("1 events of 10 partitions up to 2024-03-10 (2 without key or event time left out)")


def test_an_event_counts_from_the_beginning_of_its_partition_on(work):
    """A record with an early time in a later file: earlier moments never look into that file."""
    group = of(arrivals, event_time="told_at", bound="<")
    made(work, ride(1, at(3, 10), at(3, 11), kilometres=7, told_at=at(1, 10)), asked(2, at(2, 12)), asked(3, at(3, 3)))
    found = seen(work, group)
    assert rows_of(work, group) == [{"car": "a", "event_time": at(3), "kilometres": 7, "origin": None}]
    assert found[2] == {"last_km": None, "came_from": None, "rode": False}
    assert found[3] == {"last_km": 7, "came_from": None, "rode": True}


def test_an_arrival_days_later_is_found_as_long_as_it_may_speak(work):
    group = of(arrivals, late_days=3, ttl=timedelta(days=1))
    made(
        work,
        ride(1, at(1, 10), at(4, 23), kilometres=7),
        asked(2, at(5, 3), kilometres=8),
        asked(3, at(6, 0)),
        asked(4, at(6, 5, 30)),
        asked(5, at(6, 5, 31)),
    )
    found = {number: row["last_km"] for number, row in seen(work, group, label=long()).items()}
    # 4: the newest one has no kilometres; 5: a day and a minute after it, there is none.
    assert found == {1: None, 2: 7, 3: 8, 4: None, 5: None}


def long():
    """The label with time enough to arrive."""
    return replace(late, event=replace(late.event, horizon_days=9))


def test_an_arrival_too_late_is_kept_out_with_advice(work):
    made(work, ride(1, at(1, 10), at(3, 0)))
    (stopped,) = make(work, arrivals, [KEY])
    assert stopped.check.name == "fresh"
    assert stopped.reason.endswith("Have the times mended, or declare more than late_days=1 in the group's history.")
    assert make(work, of(arrivals, late_days=2), [KEY]) == []


def test_ties_are_kept_out_by_a_check_that_says_what_to_do(work):
    same = {"leaves": at(1, 8), "arrives": at(1, 9)}
    made(work, ride(1, **same, kilometres=1), ride(2, **same, kilometres=2), asked(3, at(1, 20)))
    (stopped,) = make(work, arrivals, [KEY])
    assert (stopped.check.name, stopped.check.blocking) == ("unique_key", True)
    assert stopped.reason == (
        "1 rows repeat a key of (car, event_time). They differ and nothing orders them: declare created or sequence "
        "in the group's history, or ties='last'."
    )
    assert seen(work, of(arrivals, ties="last"))[3]["last_km"] == 2
    with_number = replace(of(arrivals, sequence="number"), name="numbered")
    assert make(work, with_number, [KEY]) != []


def test_equal_rows_are_no_tie_and_windows_count_both(work):
    same = {"leaves": at(1, 8), "arrives": at(1, 9)}
    made(work, ride(1, **same, kilometres=1), ride(2, **same, kilometres=1), asked(3, at(1, 12)))
    counted = replace(arrivals, name="counted", features=Windowed.over(timedelta(hours=6), how=Count()))
    found = seen(work, arrivals, counted)
    assert found[3] == {"last_km": 1, "came_from": None, "rode": True, "count_6h": 2}


def test_a_tie_of_two_days_is_refused_by_the_view(work):
    made(
        work,
        ride(1, at(1, 8), at(2, 9), kilometres=1),
        ride(2, at(2, 8), at(2, 9), kilometres=2),
        asked(3, at(2, 20)),
    )
    with pytest.raises(RowsError, match=r"Feature group 'arrivals'.*car = 'a'.*kilometres is 1 and 2.*ties='last'"):
        seen(work, arrivals)


def test_created_and_sequence_order_what_happened_at_once(work):
    same = {"leaves": at(1, 8), "arrives": at(1, 9)}
    made(
        work,
        ride(1, **same, kilometres=1, told_at=at(1, 11), number=2),
        ride(2, **same, kilometres=2, told_at=at(1, 11), number=1),
        ride(3, **same, kilometres=3, told_at=at(1, 10), number=9),
        ride(4, **same, kilometres=4, told_at=None, number=99),
        asked(5, at(1, 12), told_at=at(9)),
        asked(6, at(1, 12, 59), told_at=at(9)),
        asked(7, at(1, 13), told_at=at(9)),
    )
    found = seen(work, of(arrivals, created="told_at", sequence="number"))
    # Predicted two hours ahead: what was told at 10 and 11.
    assert {number: row["last_km"] for number, row in found.items() if number > 4} == {5: 3, 6: 3, 7: 1}


def test_a_row_is_valid_until_its_end(work):
    made(
        work,
        ride(1, at(1, 8), at(1, 9), kilometres=1, until=at(1, 12)),
        asked(2, at(1, 13, 59)),
        asked(3, at(1, 14), until=at(1, 14, 31)),
        ride(4, at(2, 1), at(2, 2), kilometres=2, until=None),
        asked(5, at(2, 6)),
    )
    group = of(arrivals, valid_to="until")
    found = seen(work, group)
    assert {n: (found[n]["last_km"], found[n]["rode"]) for n in (2, 3, 5)} == {
        2: (1, True),
        3: (None, False),
        5: (2, True),
    }


def test_a_tombstone_ends_what_was_known(work):
    made(
        work,
        ride(1, at(1, 8), at(1, 9), kilometres=1),
        ride(2, at(1, 10), at(1, 11), kilometres=2, gone=True),
        asked(3, at(1, 12)),
        asked(4, at(1, 13, 1)),
        ride(5, at(2, 1), at(2, 2), kilometres=3, gone=False),
        asked(6, at(2, 6)),
    )
    found = seen(work, of(arrivals, tombstone="gone"))
    assert {n: (found[n]["last_km"], found[n]["rode"]) for n in (3, 4, 6)} == {
        3: (1, True),
        4: (None, False),
        6: (3, True),
    }


def test_looked_up_and_derived_columns(work):
    deliver_places(work, north=4, south=None)
    assert make(work, places) == []
    group = replace(
        arrivals,
        lookups=(Lookup(source=places, columns=("district",)),),
        derived=(Derived(name="far", sql="district * 10 + kilometres", type=Integer()),),
        features=(Field(of="far"), Field(of="district")),
    )
    made(
        work,
        ride(1, at(1, 8), at(1, 9), "a", kilometres=7, origin="north"),
        ride(2, at(1, 8), at(1, 9), "b", kilometres=7, origin="south"),
        *(asked(3 + n, at(1, 12), car) for n, car in enumerate("ab")),
    )
    found = seen(work, group)
    assert (found[3], found[4]) == ({"far": 47, "district": 4}, {"far": None, "district": None})


def test_keys_of_two_columns_are_not_mixed_up(work):
    group = replace(arrivals, entity=("car", "driver"), features=(Field(of="kilometres", called="last_km"),))
    done = [("1", 11, 1), ("11", 1, 2), ("1", None, 3), (None, 1, 4)]
    made(
        work,
        *(ride(n, at(1, 8), at(1, 9), car, driver=who, kilometres=km) for n, (car, who, km) in enumerate(done)),
        *(asked(10 + n, at(1, 12), car, driver=who) for n, (car, who, _) in enumerate(done) if car),
        asked(20, at(1, 12), "1", driver=1),
    )
    found = {n: row["last_km"] for n, row in seen(work, group).items() if n >= 10}
    assert found == {10: 1, 11: 2, 12: None, 20: None}


def test_null_can_be_a_key_like_any_other(work):
    group = of(
        replace(arrivals, entity=("car", "driver"), features=(Field(of="kilometres", called="last_km"),)),
        match_null_keys=True,
    )
    made(
        work,
        ride(1, at(1, 8), at(1, 9), driver=None, kilometres=1),
        ride(2, at(1, 8), at(1, 9), driver=2, kilometres=2),
        *(asked(10 + n, at(1, 12), driver=who) for n, who in enumerate([None, 2, 3])),
    )
    found = {n: row["last_km"] for n, row in seen(work, group).items() if n >= 10}
    assert found == {10: 1, 11: 2, 12: None}


tariffs = replace(
    places,
    name="tariffs",
    columns=(Column("origin", Text()), Column("since", Timestamp(), nullable=True), Column("cents", Integer())),
    key=("origin", "cents"),
)
prices = FeatureGroup(
    name="prices",
    description="What a kilometre costs where.",
    source=tariffs,
    entity="origin",
    features=(Field(of="cents"), Exists(called="priced")),
    history=History(event_time="since"),
)


def deliver_tariffs(work, *rows):
    there = [
        {"origin": place, "since": since and since.replace(tzinfo=None), "cents": cents} for place, since, cents in rows
    ]
    kinds = {"origin": pa.string(), "since": pa.timestamp("us"), "cents": pa.int64()}
    write(work, tariffs, WHOLE, pa.Table.from_pylist(there, schema=pa.schema(kinds)))


def test_a_source_without_cadence_can_have_a_history(work):
    deliver_tariffs(work, ("n", at(1), 10), ("n", at(3, 10), 20), ("n", None, 99), ("s", at(9), 30))
    assert make(work, tariffs) == []
    made(
        work,
        *(
            asked(n, leaves, origin=o)
            for n, leaves, o in [(1, at(3, 11, 59), "n"), (2, at(3, 12), "n"), (3, at(4), "s")]
        ),
    )
    found = seen(work, prices)
    assert found == {
        1: {"cents": 10, "priced": True},
        2: {"cents": 20, "priced": True},
        3: {"cents": None, "priced": False},
    }


def test_a_column_called_like_ours_is_not_mixed_up(work):
    """Suppliers may call a column event_time as well; what is stored is ours, which no partition reads too early."""
    source = replace(rides, columns=(*rides.columns, Column("event_time", Timestamp(), nullable=True)))
    group = replace(arrivals, source=source, history=History(event_time="event_time"))
    kinds = RIDE.append(pa.field("event_time", pa.timestamp("us")))
    ours = [ride(1, at(3, 10), at(3, 11), kilometres=5, event_time=at(1, 10))]
    write(work, source, "2024-03-03", pa.Table.from_pylist(ours, schema=kinds))
    assert make(work, source, ["2024-03-03"]) == []
    assert make(work, group, ["2024-03-03"]) == []
    assert rows_of(work, group) == [{"car": "a", "event_time": at(3), "kilometres": 5, "origin": None}]
    with pytest.raises(DeclarationError, match="event_time"):
        of(group, created="event_time")
    with pytest.raises(DeclarationError, match="event_time"):
        replace(late, source=source, carried=("event_time",))


def test_days_in_any_order_and_alone_give_the_same_rows(work):
    found = [ride(n, at(1 + n % 9, n % 24), at(1 + n % 9, n % 24 + 3), "ab"[n % 2], kilometres=n) for n in range(60)]
    made(work, *found)
    alone = replace(arrivals, name="alone")
    keys = rides.cadence.keys()
    materialize_feature_group(arrivals, keys, work=work, stamp=stamp())
    for key in keys[::-1]:
        materialize_feature_group(alone, [key], work=work, stamp=stamp())
    contents = [
        {key: state.content for key, state in work.read(group, []).partitions.items()} for group in (arrivals, alone)
    ]
    assert contents[0] == contents[1]
