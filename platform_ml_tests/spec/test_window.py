from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.window import Daily, Monthly, PartitionError, Weekly, check_even, check_length, moment, short

FIRST = date(2024, 1, 1)
YEAR = Daily(first=FIRST, last=date(2024, 12, 31))
WEEKS = Weekly(first=date(2024, 1, 3), last=date(2024, 1, 31))


def test_a_key_is_the_first_day_of_its_partition():
    assert YEAR.keys()[:2] == ["2024-01-01", "2024-01-02"]
    assert (len(YEAR.keys()), YEAR.keys()[-1]) == (366, "2024-12-31")
    assert WEEKS.keys() == ["2024-01-03", "2024-01-10", "2024-01-17", "2024-01-24", "2024-01-31"]
    assert (YEAR.end, WEEKS.end) == (date(2025, 1, 1), date(2024, 2, 7))


@pytest.mark.parametrize(
    ("start", "end", "keys"),
    [
        (date(2024, 1, 3), date(2024, 1, 11), ["2024-01-03", "2024-01-10"]),
        (date(2024, 1, 4), date(2024, 1, 10), []),
        (date(2024, 1, 4), date(2024, 1, 11), ["2024-01-10"]),
        (None, date(2024, 1, 4), ["2024-01-03"]),
        (date(2024, 1, 30), None, ["2024-01-31"]),
        (date(2023, 1, 1), date(2023, 2, 1), []),
        (date(2025, 1, 1), date(2025, 2, 1), []),
        (date(2024, 1, 20), date(2024, 1, 10), []),
    ],
)
def test_keys_of_a_span(start, end, keys):
    assert WEEKS.keys(start, end) == keys


def test_a_cadence_without_end_ends_with_the_days_that_are_over():
    today = datetime.now(UTC).date()
    keys = Daily(first=today - timedelta(days=3)).keys()
    assert keys[:3] == [str(today - timedelta(days=n)) for n in (3, 2, 1)]
    assert Daily(first=today - timedelta(days=3)).end is None
    assert Daily(first=today + timedelta(days=3)).keys() == []


@settings(max_examples=50, deadline=None)
@given(
    st.dates(date(1971, 1, 1), date(2024, 1, 1)),
    st.integers(0, 60),
    st.integers(-40, 100),
    st.integers(-10, 60),
    st.sampled_from([Daily, Weekly]),
)
def test_keys_are_those_that_begin_in_the_span(first, count, start, length, kind):
    cadence = kind(first=first, last=first + timedelta(days=count * kind.days))
    begin, end = first + timedelta(days=start), first + timedelta(days=start + length)
    every = [first + timedelta(days=n * kind.days) for n in range(count + 1)]
    keys = cadence.keys()
    assert keys == [str(day) for day in every]
    assert cadence.keys(begin, end) == [str(day) for day in every if begin <= day < end]
    assert [cadence.day(key) for key in keys] == every


@pytest.mark.parametrize("key", ["today", "2024-02-30", "", "2024-1-3", "2024-01-03T00:00"])
def test_a_key_that_is_no_day(key):
    with pytest.raises(PartitionError, match=f"Partition '{key}' is not a day like '2024-01-03'. Write it that way"):
        WEEKS.day(key)


@pytest.mark.parametrize("key", ["20240103", "2024W013", "2024-W01-3"])
def test_a_key_has_one_spelling(key):
    with pytest.raises(PartitionError, match=rf"'{key}' is not written like .* Did you mean '2024-01-03'\?"):
        WEEKS.day(key)


@pytest.mark.parametrize("key", ["2024-01-02", "2024-02-01", "2024-02-07"])
def test_a_key_outside_of_the_range(key):
    with pytest.raises(
        PartitionError,
        match=f"Partition '{key}' is outside of the declared range 2024-01-03 to 2024-01-31. Choose a key inside it",
    ):
        WEEKS.day(key)


def test_a_key_before_a_cadence_without_end():
    with pytest.raises(PartitionError, match="range 2024-01-01 to today"):
        Daily(first=FIRST).day("2023-12-31")


@pytest.mark.parametrize(("key", "near"), [("2024-01-04", "2024-01-03"), ("2024-01-16", "2024-01-10")])
def test_a_day_within_a_partition_is_no_key(key, near):
    with pytest.raises(PartitionError, match=rf"'{key}' is not the first day of a partition. Did you mean '{near}'\?"):
        WEEKS.day(key)


@pytest.mark.parametrize(("kind", "days"), [(Daily, -1), (Weekly, 3), (Weekly, -7)])
def test_the_last_partition_is_a_whole_number_of_them_after_the_first(kind, days):
    last = FIRST + timedelta(days=days)
    what = f"{kind.__name__}: last {last} must be a whole number of {kind.days} days after first 2024-01-01"
    with pytest.raises(DeclarationError, match=what):
        kind(first=FIRST, last=last)


@pytest.mark.parametrize("first", [date(1970, 1, 1), date(1969, 12, 31)])
def test_days_are_counted_from_1970(first):
    with pytest.raises(DeclarationError, match=rf"Daily: first {first}: days are counted from 1970\. Start later"):
        Daily(first=first)
    assert Daily(first=date(1970, 1, 2), last=date(1970, 1, 2)).keys() == ["1970-01-02"]


def test_a_day_begins_at_midnight_in_utc():
    assert moment(FIRST) == datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(days=14), "14d"),
        (timedelta(hours=24), "1d"),
        (timedelta(hours=25), "25h"),
        (timedelta(minutes=61), "61m"),
        (timedelta(seconds=3601), "3601s"),
        (timedelta(milliseconds=1500), "1500000us"),
        (timedelta(0), "0us"),
    ],
)
def test_a_duration_is_written_in_its_largest_whole_unit(length, text):
    assert short(length) == text


def test_no_rule_reaches_farther_than_a_century():
    check_length("History", "a ttl", timedelta(days=36_500))
    with pytest.raises(
        DeclarationError, match=r"History: a ttl of 36,500 days is longer than a hundred years\. Use less"
    ):
        check_length("History", "a ttl", timedelta(days=36_500, microseconds=1))


YEARS = Monthly(first=date(2023, 11, 1), last=date(2024, 4, 1))


def test_a_month_is_keyed_by_its_first_day():
    assert YEARS.keys() == ["2023-11-01", "2023-12-01", "2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"]
    assert YEARS.end == date(2024, 5, 1)
    assert YEARS.keys(date(2023, 12, 2), date(2024, 2, 2)) == ["2024-01-01", "2024-02-01"]


def test_an_open_month_exists_from_its_first_day():
    today = datetime.now(UTC).date()
    assert Monthly(first=date(2024, 1, 1)).keys()[-1] == str(today.replace(day=1))


MONTHS = st.dates(date(1971, 1, 1), date(2096, 1, 1)).map(lambda day: day.replace(day=1))
SPANS = st.one_of(
    st.builds(lambda first: Monthly(first=first), MONTHS),
    st.builds(lambda kind, first: kind(first=first), st.sampled_from([Daily, Weekly]), st.dates(date(1971, 1, 1))),
)


@settings(max_examples=60, deadline=None)
@given(MONTHS, st.integers(0, 40), st.integers(-400, 1300), st.integers(-10, 500))
def test_keys_of_months_are_the_first_days_in_the_span(first, count, start, length):
    every = [
        date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(count + 1)
    ]
    months = Monthly(first=first, last=every[-1])
    begin, end = first + timedelta(days=start), first + timedelta(days=start + length)
    now = datetime.now(UTC).date()
    assert months.keys(begin, end) == [str(day) for day in every if begin <= day < end and day <= now]
    assert [months.day(str(day)) for day in every] == every
    assert months.start(count) == every[-1]
    assert (months.end - every[-1]).days in (28, 29, 30, 31)


@settings(max_examples=60, deadline=None)
@given(SPANS, st.integers(-30, 30), st.integers(1, 28))
def test_a_day_lies_between_two_keys(calendar, number, later):
    start = calendar.start(number)
    day = start + timedelta(days=min(later, calendar.shortest))
    assert calendar.begun(start) == number
    assert calendar.begun(day) == number + 1
    assert calendar.before(day) == start
    assert calendar.shortest <= (calendar.start(number + 1) - start).days <= calendar.longest


@settings(max_examples=40, deadline=None)
@given(MONTHS, st.integers(0, 1000))
def test_so_many_months_have_so_many_days_and_one_less_does_not_always(first, days):
    months = Monthly(first=first)
    enough = months.covering(days)
    assert (months.start(enough) - first).days >= days
    if enough:
        shortest = min((months.start(n + enough - 1) - months.start(n)).days for n in range(48))
        assert shortest < days


@pytest.mark.parametrize("first", [date(2024, 1, 2), date(2024, 1, 31)])
def test_a_month_begins_on_its_first_day(first):
    with pytest.raises(DeclarationError, match=f"first {first} is not the first day of a month. Use 2024-01-01"):
        Monthly(first=first)
    with pytest.raises(DeclarationError, match="last 2024-02-02 must be the first day of a month, not before first"):
        Monthly(first=FIRST, last=date(2024, 2, 2))
    with pytest.raises(PartitionError, match=r"'2024-02-29' is not the first day .* Did you mean '2024-02-01'"):
        YEARS.day("2024-02-29")


def test_windows_cannot_be_counted_in_months():
    with pytest.raises(DeclarationError, match=r"Source 's': Monthly partitions differ in length, .* Use Daily or"):
        check_even("Source 's'", YEARS)
    for even in (None, YEAR, WEEKS):
        check_even("Source 's'", even)
