from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from platform_ml.engine.point_in_time import Side, join
from platform_ml.features import Age, Field
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.history import History, PerRow
from platform_ml.testing.declarations import order_history, orders

TIME = pa.timestamp("us", tz="UTC")
SEEN = FeatureGroup(
    name="seen",
    description="When a customer was last seen.",
    source=orders,
    entity="customer_id",
    cadence=orders.cadence,
    features=(Age(), Age(unit=timedelta(hours=1), called="hours"), Field(of="amount")),
    history=History(ttl=timedelta(hours=2)),
)


def at(hour, minute=0):
    return datetime(2024, 2, 1, hour, minute, tzinfo=UTC)


def ages(history, *moments):
    group = replace(SEEN, history=history)
    rows = pa.table(
        {
            "customer_id": pa.array([1, 1]),
            "event_time": pa.array([at(8), at(9)], TIME),
            "amount": pa.array([1, 2]),
        }
    )
    spine = pa.table({"customer_id": pa.array([1] * len(moments)), "event_time": pa.array(moments, TIME)})
    found = join(spine, [Side(selection=group.select("age_in_1m", "hours"), rows=rows)], knowledge=PerRow())
    return list(zip(found["age_in_1m"].to_pylist(), found["hours"].to_pylist(), strict=True))


def test_it_is_the_time_since_the_row_that_is_found():
    moments = (at(7), at(8), at(8, 30), at(9), at(11), at(11, 1), None)
    expected = [(None, None), (0, 0), (30, 0.5), (0, 0), (120, 2), (None, None), (None, None)]
    assert ages(SEEN.history, *moments) == expected


def test_bound_and_delay_choose_the_row_and_not_where_time_begins():
    assert ages(History(bound="<"), at(9)) == [(60, 1)]
    assert ages(History(delay=timedelta(minutes=30)), at(9, 29), at(9, 30)) == [(89, 89 / 60), (30, 0.5)]


def test_names_and_meaning():
    assert Age().name == "age_in_1m"
    assert Age(unit=timedelta(hours=1)).name == "age_in_1h"
    assert Age().meaning == "Time since the newest row, in minutes."
    assert Age(unit=timedelta(minutes=90)).meaning == "Time since the newest row, in units of 90m."
    assert (Age().lookback_days, Age().columns()) == (0, ())


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Age(unit=timedelta(0)), "Age: a unit of 0:00:00 measures nothing"),
        (lambda: Age(called="Hours"), "Feature 'Hours': a name is"),
        (lambda: replace(order_history, features=(*order_history.features, Age())), "'age_in_1m' is computed from"),
    ],
)
def test_what_makes_no_sense_is_refused(made, message):
    with pytest.raises(DeclarationError, match=message):
        made()
