"""The laws of features: a member's test class inherits them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as Exact
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.feature_group import events_sql
from platform_ml.engine.window import windows_sql
from platform_ml.features import Count
from platform_ml.formats import Parquet
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature import RollingNumber
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.naming import check_name
from platform_ml.spec.schema import Column, Decimal, Double, Integer, Text, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from platform_ml.spec.feature import Feature, Rolling

    Values = Mapping[tuple[int, int], Any]
    """(shopper, day) → value of the feature."""

EPOCH = date(1970, 1, 1)
FIRST, LAST = 19_800, 19_830
"""Days since 1970 for which rows are computed; events begin before and end after."""
SHOPPERS, EVENTS, LONGER = 8, 130, 5
CLOSE = 1e-12

visits = Source(
    name="visits",
    description="Who took what out of a shop.",
    format=Parquet(),
    columns=(
        Column("shopper", Integer(), nullable=True),
        Column("item", Text(), nullable=True),
        Column("amount", Decimal(9, 2), nullable=True),
        Column("pieces", Integer(), nullable=True),
        Column("seen_at", Timestamp()),
    ),
    key=("seen_at",),
    event_time="seen_at",
    cadence=Daily(first=date(2024, 1, 1)),
)
TYPES = visits.types
SCHEMA = pa.schema(
    {
        "shopper": pa.int64(),
        "item": pa.string(),
        "amount": pa.decimal128(9, 2),
        "pieces": pa.int64(),
        "seen_at": pa.timestamp("us", tz="UTC"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One event; `day` counts from 1970."""

    day: int
    shopper: int | None = 1
    item: str | None = None
    amount: Exact | None = None
    pieces: int | None = None
    microsecond: int = 0
    """Of the day."""

    @property
    def seen_at(self) -> datetime:
        """When it was."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=self.day, microseconds=self.microsecond)


class FeatureContract:
    """What every feature promises."""

    @pytest.fixture
    def feature(self) -> Feature:
        """The member under test; its columns are those of `visits`."""
        raise NotImplementedError

    def test_says_what_it_is(self, feature: Feature) -> None:
        check_name("Feature", feature.name)
        assert feature.meaning.endswith(".")
        assert feature.meaning[0].isupper() or feature.meaning.startswith(feature.columns())
        assert set(feature.columns()) <= set(TYPES)
        for units in ({}, {"amount": "EUR", "pieces": "piece"}):
            assert feature.measured_in(units) is None or feature.measured_in(units)
        if not feature.exact:  # an exact one adds up nothing in advance
            assert feature.lookback_days == max((term.days for term in feature.terms()), default=0)
        assert fingerprint(feature) == fingerprint(feature)

    def test_cannot_be_changed(self, feature: Any) -> None:
        with pytest.raises(FrozenInstanceError):
            setattr(feature, fields(feature)[0].name, None)


class SummedContract(FeatureContract):
    """What every feature promises that is made of sums over windows of days, whatever the events are."""

    def oracle(self, events: Sequence[Visit], day: int) -> object:
        """The definition in plain Python: `events` are those of one shopper in the window that ends with `day`."""
        raise NotImplementedError

    def expected(self, feature: Feature, events: Sequence[Visit], day: int) -> dict[int, object]:
        """The value of every shopper with an event in the longest look-back."""
        there = {event.shopper for event in window(events, day, feature.lookback_days + LONGER)}
        seen = window(events, day, feature.lookback_days)
        return {who: self.oracle([e for e in seen if e.shopper == who], day) for who in there if who is not None}

    @pytest.fixture(params=(1, 2), ids="seed {}".format)
    def events(self, request: pytest.FixtureRequest) -> list[Visit]:
        """Some shoppers come often, some hardly ever; every column is unknown at times."""
        return invented(request.param)

    def test_agrees_with_its_definition(self, feature: Feature, events: list[Visit]) -> None:
        found = rows(feature, events)
        expected = {
            (day, who): value
            for day in range(FIRST, LAST + 1)
            for who, value in self.expected(feature, events, day).items()
        }
        assert found.keys() == expected.keys()
        for at, value in found.items():
            if isinstance(value, float):
                assert value == pytest.approx(expected[at], rel=CLOSE, abs=CLOSE), at
            else:
                assert value == expected[at], at

    def test_it_is_ordered_by_day_and_entity(self, feature: Feature, events: list[Visit]) -> None:
        found = list(rows(feature, events))
        assert found == sorted(found)

    def test_a_day_is_the_same_alone_and_in_any_range(self, feature: Feature, events: list[Visit]) -> None:
        whole = rows(feature, events)
        ranges = [(day, day) for day in (FIRST, FIRST + 13, LAST)]
        ranges += [(FIRST, FIRST + 9), (FIRST + 10, FIRST + 16), (FIRST + 17, LAST)]
        for first, last in ranges:
            alike = {at: value for at, value in whole.items() if first <= at[0] <= last}
            assert rows(feature, events, first=first, last=last) == alike

    def test_a_weekly_row_is_the_daily_row_of_that_day(self, feature: Feature, events: list[Visit]) -> None:
        days = range(FIRST, LAST + 1, 7)
        alike = {at: value for at, value in rows(feature, events).items() if at[0] in days}
        assert rows(feature, events, step=7) == alike

    def test_the_order_of_events_does_not_matter(self, feature: Feature, events: list[Visit]) -> None:
        other = np.random.default_rng(7).permutation(len(events))
        assert rows(feature, [events[n] for n in other]) == rows(feature, events)

    def test_any_number_of_threads_gives_the_same_bytes(self, feature: Feature) -> None:
        events = table(invented(3, events=2_000))
        pieces = pa.Table.from_batches(events.to_batches(max_chunksize=100))
        one, two, four = (compute(feature, pieces, threads=threads) for threads in (1, 2, 4))
        assert bytes_of(one) == bytes_of(two) == bytes_of(four)

    def test_what_comes_after_a_day_never_changes_it(self, feature: Feature, events: list[Visit]) -> None:
        day = FIRST + 11
        known = [event for event in events if event.day <= day]
        before = rows(feature, known, last=day)
        later = [replace(event, day=day + 1 + event.day % 9) for event in invented(9)]
        for future in (events, [*known, *later]):
            assert {at: value for at, value in rows(feature, future).items() if at[0] <= day} == before

    def test_events_of_nobody_do_not_count(self, feature: Feature, events: list[Visit]) -> None:
        nobody = [replace(event, shopper=None) for event in invented(9)]
        assert rows(feature, [*events, *nobody]) == rows(feature, events)

    def test_without_events_there_are_no_rows(self, feature: Feature) -> None:
        assert rows(feature, []) == {}

    def test_columns_of_which_nothing_is_known(self, feature: Feature) -> None:
        blank = [Visit(day=FIRST), Visit(day=FIRST + 1, shopper=2)]
        for at, value in rows(feature, blank).items():
            wanted = self.expected(feature, blank, at[0])[at[1]]
            assert value == (pytest.approx(wanted) if isinstance(wanted, float) else wanted), at


class RollingContract(SummedContract):
    """What every feature with a window of its own promises."""

    @pytest.fixture
    def feature(self) -> Rolling:
        """The member under test, with a window of a few days."""
        raise NotImplementedError

    def test_a_window_has_at_least_a_day(self, feature: Any) -> None:
        with pytest.raises(
            DeclarationError, match=rf"{type(feature).__name__}: days is 0, a window has at least 1 day"
        ):
            replace(feature, days=0)

    def test_it_can_be_declared_over_several_windows(self, feature: Any) -> None:
        of = {item.name: getattr(feature, item.name) for item in fields(feature) if item.name != "days"}
        several = type(feature).over(7, 30, 90, **of)
        assert [other.lookback_days for other in several] == [7, 30, 90]
        assert len({other.name for other in several}) == 3

    def test_sums_of_doubles_are_refused(self, feature: Rolling) -> None:
        doubles = dict.fromkeys(TYPES, Double())
        if isinstance(feature, RollingNumber):
            what = rf"{type(feature).__name__} of '{feature.of}': the column is DOUBLE.*Declare it as Decimal.*Integer"
            with pytest.raises(DeclarationError, match=what):
                feature.result(doubles)
        else:
            assert feature.result(doubles) == feature.result(TYPES)


def group(*features: Feature) -> FeatureGroup:
    """A feature group of `visits` that holds them."""
    return FeatureGroup(
        name="shopper_history",
        description="Invented.",
        source=visits,
        entity="shopper",
        cadence=visits.cadence,
        features=features,
    )


def window(events: Iterable[Visit], day: int, days: int) -> list[Visit]:
    """The events of the `days` days that end with `day`."""
    return [event for event in events if day - days < event.day <= day]


def table(events: Sequence[Visit]) -> pa.Table:
    """Events as rows of `visits`."""
    return pa.table({name: [getattr(e, name) for e in events] for name in SCHEMA.names}, schema=SCHEMA)


def compute(
    feature: Feature, events: pa.Table, *, first: int = FIRST, last: int = LAST, step: int = 1, threads: int = 2
) -> pa.Table:
    """Shopper, `_day` and value, of every `step`-th day; a longer look-back than the feature's own makes rows."""
    of = group(feature, Count(days=feature.lookback_days + LONGER))
    sql = windows_sql(of, first_day=first, last_day=last, step=step)
    found = DuckDB(threads=threads).query(sql, {"raw": events, "events": events_sql(of)}).table()
    return found.select(["_day", "shopper", feature.name])


def rows(feature: Feature, events: Sequence[Visit], *, first: int = FIRST, last: int = LAST, step: int = 1) -> Values:
    """(day, shopper) → value."""
    found = compute(feature, table(events), first=first, last=last, step=step).to_pydict()
    days, shoppers, values = found.values()
    assert len(set(zip(days, shoppers, strict=True))) == len(days)
    return dict(zip(zip(days, shoppers, strict=True), values, strict=True))


def bytes_of(rows: pa.Table) -> bytes:
    """The rows as they lie in memory."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows.combine_chunks())
    return bytes(sink.getvalue())


def invented(seed: int, events: int = EVENTS) -> list[Visit]:
    """Random events from before the first to after the last day."""
    draw = np.random.default_rng(seed)

    def unless(share: float, value: Any) -> Any:
        return None if draw.random() < share else value

    return [
        Visit(
            day=int(draw.integers(FIRST - 20, LAST + 5)),
            shopper=unless(0.05, int(SHOPPERS * draw.random() ** 3)),
            item=unless(0.1, "abcd"[draw.integers(4)]),
            amount=unless(0.1, Exact(int(draw.integers(-500, 100_000))).scaleb(-2)),
            pieces=unless(0.1, int(draw.integers(6))),
            microsecond=int(draw.choice([0, 1, 43_200_000_000, 86_399_999_999])),
        )
        for _ in range(events)
    ]
