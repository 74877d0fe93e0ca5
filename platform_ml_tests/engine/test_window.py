"""What holds for all features together; each one's own laws are in its own test."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_ml import features
from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.feature_group import events_sql
from platform_ml.engine.window import alias, windows_sql
from platform_ml.spec.feature import Counting, Rolling
from platform_ml.spec.window import Term
from platform_ml.testing.features import FIRST, LAST, SCHEMA, Visit, bytes_of, group, invented, table, window

EVERYTHING = tuple(
    feature
    for days in (1, 7, 30)
    for feature in (
        features.Count(days=days),
        features.DaysActive(days=days),
        features.Recency(days=days),
        features.Tenure(days=days),
        features.Distinct(days=days, of="item"),
        features.Frequency(days=days, of="item"),
        features.RepeatRate(days=days, of="item"),
        features.Total(days=days, of="amount"),
        features.Total(days=days, of="pieces"),
        features.Mean(days=days, of="amount"),
        features.Variance(days=days, of="amount"),
        features.Deviation(days=days, of="pieces"),
        features.Trend(days=days + 1, of="amount"),
        features.Velocity(days=days, of="pieces"),
        features.Ratio(days=days, of="amount", per="pieces"),
        features.Tier(days=days, of="amount"),
        features.ExponentialMean(days=days, decay_days=7, of="pieces"),
        features.Slope(days=days + 1, of="amount"),
        features.WeeksActive(days=7 * days),
    )
)


@dataclass(frozen=True, kw_only=True)
class Raw(Counting, Rolling):
    """A term as it is."""

    term: Term

    @property
    def name(self):
        return f"{self.term.kind}_{self.term.of or 'any'}_{self.days}d"

    def terms(self):
        return (self.term,)

    def sql(self, term):
        return term(self.term)


def computed(chosen, events, *, first=FIRST, last=LAST, step=1, threads=2):
    of = group(*chosen)
    sql = windows_sql(of, first_day=first, last_day=last, step=step)
    return DuckDB(threads=threads).query(sql, {"raw": events, "events": events_sql(of)}).table()


def test_every_rolling_feature_is_among_them():
    parts = {name: getattr(features, name) for name in features.__all__}
    rolling = {name for name, part in parts.items() if isinstance(part, type) and issubclass(part, Rolling)}
    assert {type(feature).__name__ for feature in EVERYTHING} == rolling


def test_together_they_are_what_they_are_alone():
    events = table(invented(5))
    together = computed(EVERYTHING, events)
    for feature in EVERYTHING[::3]:
        alone = computed((feature, features.Count(days=31)), events)
        assert alone[feature.name].equals(together[feature.name]), feature.name


def many(rows=150_000, shoppers=3_000):
    draw = np.random.default_rng(0)
    at = np.datetime64("2024-02-01", "us") + draw.integers(0, 60 * 86_400_000_000, rows).astype("timedelta64[us]")
    columns = {
        "shopper": draw.integers(0, shoppers, rows),
        "item": np.array(list("abcdefgh"), dtype=object)[draw.integers(0, 8, rows)],
        "amount": pa.array(draw.integers(-100, 100_000, rows))
        .cast(pa.decimal128(19, 0))
        .cast(pa.decimal128(9, 2), safe=False),
        "pieces": draw.integers(0, 9, rows),
        "seen_at": pa.array(at).cast(SCHEMA.field("seen_at").type),
    }
    return pa.table(columns, schema=SCHEMA)


def test_many_rows_and_threads_give_the_same_bytes():
    events = many()
    chosen, first = EVERYTHING[-16:], 19_780
    shuffled = events.take(np.random.default_rng(1).permutation(events.num_rows))
    found = [
        bytes_of(computed(chosen, given, first=first, last=first + 8, threads=threads))
        for given, threads in ((events, 1), (events, 2), (shuffled, 4))
    ]
    assert found[0] == found[1] == found[2]


ORACLES = {
    ("each", None): len,
    ("distinct", "item"): lambda events: len({event.item for event in events} - {None}),
    ("distinct", "_day"): lambda events: len({event.day for event in events}),
    ("repeated", "item"): lambda events: sum(
        len({e.day for e in events if e.item == item}) > 1 for item in {e.item for e in events} - {None}
    ),
    ("repeated", None): lambda events: int(len({event.day for event in events}) > 1),
    ("first", None): lambda events: min((event.day for event in events), default=0),
    ("last", None): lambda events: max((event.day for event in events), default=0),
    ("first", "item"): lambda events: sum(
        min(e.day for e in events if e.item == item) for item in {e.item for e in events} - {None}
    ),
    ("last", "item"): lambda events: sum(
        max(e.day for e in events if e.item == item) for item in {e.item for e in events} - {None}
    ),
}
EVENTS = st.lists(
    st.builds(
        Visit,
        day=st.integers(FIRST - 8, FIRST + 9),
        shopper=st.sampled_from([None, 1, 1, 2]),
        item=st.sampled_from([None, "a", "b"]),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(events=EVENTS, days=st.integers(1, 6), step=st.integers(1, 3), last=st.integers(0, 7))
def test_every_kind_of_term_is_its_sum_over_the_window(events, days, step, last):
    chosen = [
        Raw(days=days, term=Term(kind, days, "_day" if kind in ("first", "last") else "1", of)) for kind, of in ORACLES
    ]
    found = computed([*chosen, features.Count(days=days + 2)], table(events), last=FIRST + last, step=step).to_pylist()
    rows = {(row["_day"], row["shopper"]): row for row in found}
    assert len(rows) == len(found)
    wanted = {
        (day, event.shopper)
        for day in range(FIRST, FIRST + last + 1, step)
        for event in window(events, day, days + 2)
        if event.shopper is not None
    }
    assert rows.keys() == wanted
    for (day, shopper), row in rows.items():
        seen = [event for event in window(events, day, days) if event.shopper == shopper]
        for feature, oracle in zip(chosen, ORACLES.values(), strict=True):
            assert row[feature.name] == oracle(seen), feature.term


def test_different_terms_have_different_names():
    terms = [
        Term("distinct", 7, of="_day"),
        Term("distinct", 7, of="day"),
        Term("distinct", 7),
        Term("each", 7),
        Term("each", 7, "_day"),
        Term("each", 17),
        Term("last", 7),
    ]
    assert len({alias(term) for term in terms}) == len(terms)
    assert alias(Term("each", 7)) == alias(Term("each", 7, "1"))


@pytest.mark.parametrize("step", [1, 7])
def test_an_entity_speaks_as_long_as_its_window_and_not_a_day_longer(step):
    found = computed((features.Count(days=7), features.Count(days=2)), table([Visit(day=FIRST - 3)]), step=step)
    assert found["_day"].to_pylist() == [day for day in range(FIRST, FIRST + 4) if not (day - FIRST) % step]


def test_days_begin_at_midnight_in_utc():
    midnight = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=FIRST)
    visits = table([Visit(day=FIRST, microsecond=0), Visit(day=FIRST, microsecond=86_399_999_999)])
    assert visits["seen_at"].to_pylist()[0] == midnight
    found = computed((features.Count(days=1),), visits)
    assert found.to_pylist() == [{"shopper": 1, "_day": FIRST, "count_1d": 2}]
