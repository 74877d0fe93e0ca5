from dataclasses import replace
from datetime import timedelta
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.aggregations import EventSequence
from platform_ml.engine.point_in_time import Side, join
from platform_ml.features import Windowed
from platform_ml.features.windowed import Edges
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.history import History, PerRow
from platform_ml.spec.schema import Doubles
from platform_ml.testing.aggregations import (
    SCHEMA,
    SECOND,
    START,
    TYPES,
    AggregationContract,
    Asked,
    Sale,
    answers,
    inside,
    invented,
    questions,
    sales,
    windowed,
)


class TestEventSequence(AggregationContract):
    exact = True

    @pytest.fixture(params=("amount", "pieces", "weight", "gift", None))
    def how(self, request):
        return EventSequence(of=request.param, last=3)

    def expected(self, how, events, row, feature):
        seen = sorted((e for e in events if e.shop == row.shop and inside(e.at, row.at, feature)), key=lambda e: e.at)
        ages = [(row.at - event.at) / SECOND / 86_400 for event in seen]
        found = ages if how.of is None else [getattr(event, how.of) for event in seen]
        return [None if value is None else float(value) for value in found[-how.last :]] or None

    def test_says_what_it_is(self, how):
        assert how.result(TYPES) == Doubles()
        assert how.name == f"{how.of or 'days_ago'}_of_last_3"
        assert how.meaning.endswith("of each of the last 3 events")

    def test_what_is_not_known_does_not_count(self, how, events):
        if how.of is None:
            return
        rows, features = questions(4), windowed(how)
        blank = [replace(event, **{how.of: None}) for event in events]
        for with_values, without in zip(
            answers(features, events, rows).values(), answers(features, blank, rows).values(), strict=True
        ):
            assert without == [None if found is None else [None] * len(found) for found in with_values]

    def test_what_is_no_number_makes_no_number(self, how):
        if how.of != "weight":
            return
        events = [Sale(at=0, weight=1.0), Sale(at=SECOND, weight=float("nan")), Sale(at=2 * SECOND, weight=3.0)]
        (found,) = answers([Windowed(how=how, window=None)], events, [Asked(at=9 * SECOND)]).values()
        assert found == [[1.0, None, 3.0]]


def test_the_lists_of_one_window_belong_together():
    events, rows = invented(3), questions(4)
    for edges in get_args(Edges):
        features = Windowed.each(
            *EventSequence.over("amount", "pieces", last=4), window=timedelta(minutes=2), edges=edges
        )
        found = answers(features, events, rows)
        assert list(found) == ["days_ago_of_last_4_2m", "amount_of_last_4_2m", "pieces_of_last_4_2m"]
        for ages, *lists in zip(*found.values(), strict=True):
            assert all(len(one or ()) == len(ages or ()) <= 4 for one in lists)
            assert sorted(ages or (), reverse=True) == (ages or [])


def test_events_of_one_moment_come_as_their_history_orders_them():
    events = [Sale(at=0, pieces=n) for n in (4, 1, 3)] + [Sale(at=SECOND, pieces=9)]
    features = Windowed.each(EventSequence(of="pieces", last=3), window=None)
    assert answers(features, events, [Asked(at=2 * SECOND)]) == {"pieces_of_last_3_ever": [[1.0, 3.0, 9.0]]}


def test_an_event_that_is_known_late_is_listed_from_then_on():
    """Compared with the definition: what happened in the window and was known at the moment, oldest first."""
    draw = np.random.default_rng(11)
    times = np.sort(draw.permutation(400)[:60]) * SECOND
    known = times + draw.integers(0, 90, 60) * SECOND
    moments = draw.integers(0, 500, 40) * SECOND
    at = pa.timestamp("us", tz="UTC")
    rows = pa.table({name: pa.nulls(60, SCHEMA.field(name).type) for name in ("item", "amount", "weight", "gift")})
    rows = rows.append_column("shop", pa.array([1] * 60)).append_column("pieces", pa.array(range(60)))
    rows = rows.append_column("event_time", pa.array(times + START, at))
    rows = rows.append_column("told_at", pa.array(known + START, at))
    source = replace(sales, columns=(*sales.columns, replace(sales.columns[-1], name="told_at")))
    for bound, delay in (("<=", 0), ("<", 0), ("<=", 20)):
        features = Windowed.each(EventSequence(of="pieces", last=5), window=timedelta(seconds=100), edges="(]")
        group = FeatureGroup(
            name="late_sales",
            description="Invented.",
            source=source,
            entity="shop",
            features=features,
            history=History(
                event_time="sold_at", created="told_at", ties="last", bound=bound, delay=timedelta(seconds=delay)
            ),
        )
        spine = pa.table({"shop": pa.array([1] * 40), "event_time": pa.array(moments + START, at)})
        (name,) = (feature.name for feature in features)
        found = join(spine, [Side(selection=group.select(name), rows=rows)], knowledge=PerRow())[name].to_pylist()
        for moment, values in zip(moments, found, strict=True):
            until = moment - delay * SECOND
            wanted = [
                float(n)
                for n in range(60)
                if until - 100 * SECOND < times[n] <= until
                and (bound == "<=" or times[n] < moment)
                and known[n] <= moment
            ][-5:]
            assert values == (wanted or None)


@pytest.mark.parametrize("last", [0, -1, 10_001])
def test_no_list(last):
    with pytest.raises(DeclarationError, match="EventSequence: the last"):
        EventSequence(last=last)


def test_text_is_refused():
    with pytest.raises(
        DeclarationError, match=r"EventSequence of 'item': the column is VARCHAR, not a number\. Choose"
    ):
        EventSequence(of="item", last=2).result(TYPES)
