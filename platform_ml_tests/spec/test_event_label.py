from dataclasses import replace
from datetime import timedelta

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.event_label import Event
from platform_ml.spec.feature_group import Derived
from platform_ml.spec.schema import Boolean, Column, Integer, Text, Timestamp
from platform_ml.testing.declarations import customers
from platform_ml_tests.spec.flown import LATE, delayed, flights


def derived(name, sql, kind=None):
    return Derived(name=name, sql=sql, type=kind or Integer())


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"lead": -timedelta(hours=1)}, r"Event: a lead of .* predicts after the event\. Use zero or more"),
        ({"lead": timedelta.max}, "Event: a lead of 999,999,999 days is longer than a hundred years"),
        ({"horizon_days": 0}, "Event: a horizon has at least 1 day, not 0"),
        ({"horizon_days": 10**12}, "Event: a horizon of 1,000,000 days is longer than a hundred years"),
    ],
)
def test_a_wrong_event_cannot_be_made(event, message):
    with pytest.raises(DeclarationError, match=message):
        replace(delayed.event, **event)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Late"}, "Label 'Late': a name is lower_snake_case"),
        ({"source": customers}, "'delayed': source 'customers' has no event time, so nothing comes after"),
        ({"entity": "plain"}, r"'delayed' has no column 'plain'\. Did you mean 'plane'\?"),
        ({"attributes": ("mile",)}, r"has no column 'mile'\. Did you mean 'miles'\?"),
        ({"carried": ("origins",)}, r"has no column 'origins'\. Did you mean 'origin'\?"),
        ({"event": Event(value="lat", known="arrived_at", horizon_days=1)}, "has no column 'lat'. Did you mean 'late'"),
        ({"event": Event(value="late", known="miles", horizon_days=1)}, "'miles' says when .* make it a Timestamp"),
        ({"derived": (LATE, LATE)}, "declares column 'late' 2 times"),
        ({"derived": (LATE, derived("miles", "1"))}, "declares column 'miles' 2 times"),
        ({"name": "miles"}, "Label 'miles' declares column 'miles' 2 times"),
        ({"name": "plane"}, "Label 'plane' declares column 'plane' 2 times"),
        ({"name": "event_time"}, "declares column 'event_time' 2 times"),
        ({"derived": (LATE, derived("known_time", "1")), "attributes": ("known_time",)}, "column 'known_time' 2 times"),
        ({"carried": ("origin", "miles")}, "declares attribute or carried column 'miles' 2 times"),
    ],
)
def test_a_wrong_label_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(delayed, **changes)


@pytest.mark.parametrize("role", ["attributes", "carried"])
@pytest.mark.parametrize(
    ("more", "column", "leaked"),
    [
        ((), "late", "arr_delay"),
        ((), "arr_delay", "arr_delay"),
        ((derived("half", "arr_delay / 2"),), "half", "arr_delay"),
        ((derived("half", '"arr_delay" / 2'),), "half", "arr_delay"),
        ((derived("half", "ARR_DELAY / 2"),), "half", "arr_delay"),
        ((derived("half", "late::INT"),), "half", "arr_delay"),
        ((derived("a", "abs(b)"), derived("b", "c + 1"), derived("c", "arr_delay")), "a", "arr_delay"),
        ((derived("minutes", "epoch(arrived_at) / 60"),), "minutes", "arrived_at"),
        ((derived("a", "b"), derived("b", "a + arr_delay")), "a", "arr_delay"),
    ],
)
def test_what_tells_the_outcome_never_travels_along(role, more, column, leaked):
    made = "is known" if column == leaked else f"is made of '{leaked}', which is known"
    with pytest.raises(DeclarationError, match=f"Label 'delayed' leaks: '{column}' {made} only after"):
        replace(delayed, derived=(LATE, *more), **{role: (column,)})


@pytest.mark.parametrize("role", ["attributes", "carried"])
def test_what_is_known_at_another_moment_than_the_event_does_not_travel_along(role):
    gate = Column("gate_delay", Integer(), nullable=True)
    twice = derived("twice", "2 * gate_delay")

    def label(known_at, column):
        source = replace(delayed.source, columns=(*delayed.source.columns, replace(gate, known_at=known_at)))
        return replace(delayed, source=source, derived=(LATE, twice), **{role: (column,)})

    for known_at in (None, "leaves_at"):
        assert "twice" in label(known_at, "twice").columns
    for column, made in (("gate_delay", "is known"), ("twice", "is made of 'gate_delay', which is known")):
        with pytest.raises(DeclarationError, match=f"leaks: '{column}' {made} only after the moment of prediction"):
            label("booked_at", column)


def test_when_the_outcome_became_known_cannot_be_carried():
    with pytest.raises(DeclarationError, match="leaks: 'arrived_at' is known only after"):
        replace(delayed, carried=("arrived_at",))


@pytest.mark.parametrize("column", ["booked_at", "leaves_at"])
def test_a_moment_is_no_attribute_but_may_be_carried(column):
    what = rf"Label 'delayed': attribute '{column}' is a moment, which may lie after .*, so it can leak\. Derive"
    with pytest.raises(DeclarationError, match=what):
        replace(delayed, carried=(), attributes=(column,))
    assert replace(delayed, carried=(column,)).columns[column] == Timestamp()


def test_what_only_sounds_like_the_outcome_is_fine():
    more = (derived("arr_delays", "miles"), derived("fine", "arr_delays + 1"))
    assert replace(delayed, derived=(LATE, *more), attributes=("fine",)).attributes == ("fine",)
    assert replace(delayed, attributes=("plane", "flight_id"), carried=()).attributes == ("plane", "flight_id")


def test_its_columns():
    assert delayed.columns == {
        "flight_id": Integer(),
        "plane": Integer(),
        "origin": Text(),
        "booked_at": Timestamp(),
        "miles": Integer(),
        "event_time": Timestamp(),
        "delayed": Boolean(),
        "known_time": Timestamp(),
    }
    assert (delayed.key, delayed.type, delayed.cadence) == (("flight_id",), Boolean(), flights.cadence)
    assert (delayed.horizon_days, delayed.lead) == (2, timedelta(hours=1))


def test_it_says_what_it_is():
    assert delayed.meaning == "Whether a flight arrives late."
    assert delayed.population == "Every event of flights whose late is known afterwards."
    assert delayed.moments == "1 hour before leaves_at of each event."
    assert replace(delayed, event=replace(delayed.event, lead=timedelta(0))).moments == "leaves_at of each event."
