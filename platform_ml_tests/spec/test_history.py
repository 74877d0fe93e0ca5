from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.history import AsOf, Committed, History, Mutations

LIVES = Mutations(known_from="from_at", known_to="until_at")


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"bound": "=<"}, r"History: bound is '=<', not one of '<=', '<'"),
        ({"ties": "lst"}, r"ties is 'lst', not one of 'error', 'last'\. Did you mean 'last'\?"),
        ({"ttl": timedelta(microseconds=-1)}, r"a ttl of .* lets no row through\. Use zero or more, or None"),
        ({"ttl": timedelta.max}, r"a ttl of 999,999,999 days is longer than a hundred years\. Use None for any age"),
        ({"delay": timedelta(seconds=-1)}, r"a delay of .* would use rows before their event time, which leaks"),
        ({"delay": timedelta.max}, r"a delay of 999,999,999 days is longer than a hundred years\. Use less"),
        ({"late_days": -1}, r"late_days is -1; use 0 or more"),
        ({"late_days": 10**12}, "late_days of 1,000,000 days is longer than a hundred years"),
        ({"created": "written_at", "known": LIVES}, "`created` and `known` both say when a row became known"),
        ({"created": "written_at", "known": Committed(since=date(2024, 1, 1))}, "both say when a row became known"),
    ],
)
def test_a_wrong_history_cannot_be_made(declared, message):
    with pytest.raises(DeclarationError, match=message):
        History(**declared)


def test_the_edges_of_what_can_be_declared():
    assert History(ttl=timedelta(0)).ttl == timedelta(0)
    century = timedelta(days=36_500)
    assert History(ttl=century, delay=century, late_days=36_500).delay == century


def test_the_columns_that_its_rules_read():
    assert History().columns == ()
    everything = History(
        event_time="at", sequence="seq", known=LIVES, valid_to="until_at", tombstone="gone", bound="<", ties="last"
    )
    assert everything.columns == ("seq", "until_at", "gone", "from_at")
    assert everything.times == ("until_at", "from_at")
    assert History(created="written_at").times == ("written_at",)


def test_whether_it_is_recorded_when_rows_became_known():
    assert not History(sequence="seq").knows
    assert History(created="written_at").knows
    assert History(known=LIVES).knows
    assert History(known=Committed(since=date(2024, 1, 1))).knows


def test_as_of_is_a_moment_in_utc():
    assert AsOf(moment=datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)).microseconds == 1_000_005
    assert AsOf(moment=datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)).microseconds == -1_000_000
    for moment in (datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1)))):  # noqa: DTZ001
        with pytest.raises(
            DeclarationError, match=r"AsOf: 2024-01-01T00:00:00.* is not in UTC\. Use value\.astimezone"
        ):
            AsOf(moment=moment)
