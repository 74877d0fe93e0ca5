from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.engine.rows import SplitRows
from platform_ml.engine.slicing import periods_of, slices_of
from platform_ml.spec.slicing import Bands

REGION = ["north", "south", None, "north", "south", "north"]
AGE = [20, 30, 40, 50, None, 60]
DAYS = [
    datetime(2024, month, day, 13, tzinfo=UTC) for month, day in [(1, 31), (2, 1), (4, 1), (1, 29), (2, 4), (3, 31)]
]

ROWS = SplitRows(
    features=pa.table({"spent": [1.5, 1.5, 1.5, 1.5, 9.0, 1.5]}),
    label=np.zeros(6),
    entity=np.arange(6),
    event_time=pa.chunked_array([pa.array(DAYS, pa.timestamp("us", tz="UTC"))]),
    helpers=pa.table({"region": REGION, "age": pa.array(AGE, pa.int64())}),
)


def found(*slicings):
    return {key: rows.tolist() for key, rows in slices_of(ROWS, slicings).items()}


def test_a_pair_has_the_values_that_rows_have():
    pairs = found(("region", Bands("age", 2)))
    assert pairs == {
        ("region and age", "north and up to 40"): [0],
        ("region and age", "north and above 40"): [3, 5],
        ("region and age", "south and up to 40"): [1],
        ("region and age", "south and (missing)"): [4],
        ("region and age", "(missing) and up to 40"): [2],
    }


def test_bands_have_about_as_many_rows_each_or_declared_edges():
    assert found(Bands("age", 2)) == {
        ("age", "up to 40"): [0, 1, 2],
        ("age", "above 40"): [3, 5],
        ("age", "(missing)"): [4],
    }
    assert found(Bands("age", edges=(20, 30, 55))) == {
        ("age", "up to 20"): [0],
        ("age", "above 20 to 30"): [1],
        ("age", "above 30 to 55"): [2, 3],
        ("age", "above 55"): [5],
        ("age", "(missing)"): [4],
    }


def test_many_equal_numbers_make_fewer_bands():
    assert found(Bands("spent", 4)) == {("spent", "up to 1.5"): [0, 1, 2, 3, 5], ("spent", "above 1.5"): [4]}


def test_every_row_is_in_one_band():
    draw = np.random.default_rng(0)
    rows = SplitRows(
        features=pa.table({"spent": draw.lognormal(8, 3, 500)}),
        label=np.zeros(500),
        entity=np.arange(500),
        event_time=pa.chunked_array([pa.array([DAYS[0]] * 500, pa.timestamp("us", tz="UTC"))]),
        helpers=pa.table({}),
    )
    parts = list(slices_of(rows, [Bands("spent", 5)]).values())
    assert sorted(np.concatenate(parts).tolist()) == list(range(500))
    assert all(95 <= len(part) <= 105 for part in parts)


@pytest.mark.parametrize(
    ("period", "names"),
    [
        ("day", ["2024-01-29", "2024-01-31", "2024-02-01", "2024-02-04", "2024-03-31", "2024-04-01"]),
        ("week", ["2024-01-29", "2024-03-25", "2024-04-01"]),
        ("month", ["2024-01", "2024-02", "2024-03", "2024-04"]),
        ("quarter", ["2024-Q1", "2024-Q2"]),
    ],
)
def test_periods_are_those_of_the_calendar(period, names):
    periods = periods_of(ROWS, period)
    assert list(periods) == names
    assert sorted(np.concatenate([rows for _, rows in periods.values()]).tolist()) == list(range(6))


def test_a_period_has_its_first_day():
    assert periods_of(ROWS, "quarter")["2024-Q2"][0] == date(2024, 4, 1)
    assert periods_of(ROWS, "week")["2024-01-29"][1].tolist() == [0, 1, 3, 4]
