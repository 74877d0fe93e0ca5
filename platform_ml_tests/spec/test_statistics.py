import json
import math

import pytest

from platform_ml.spec.statistics import ColumnStatistics, PartitionStatistics


def numbers(*quantiles, **others):
    return ColumnStatistics(**({"kind": "number", "nulls": 0, "distinct": 5, "quantiles": quantiles} | others))


PARTITION = PartitionStatistics(
    rows=20,
    sampled=10,
    columns={
        "amount": numbers(0.0, 1.0, 2.0, nulls=4, not_finite=1, minimum=0.0, maximum=2.0, mean=1.0, std=0.5),
        "country": ColumnStatistics(kind="category", nulls=0, distinct=60, top={"AT": 3, "CH": 1}, complete=False),
        "at": ColumnStatistics(kind="time", nulls=20, distinct=0),
    },
)


def test_text_and_back():
    said = json.loads(json.dumps(PARTITION.to_json(), allow_nan=False))
    assert PartitionStatistics.from_json(said) == PARTITION
    assert said["columns"]["at"] == {"kind": "time", "nulls": 20}


def test_shares():
    assert PARTITION.null_share("amount") == 0.2
    assert PARTITION.values("amount") == round(10 * 0.75)
    none = PartitionStatistics(rows=0, sampled=0, columns={"amount": numbers()})
    assert (none.null_share("amount"), none.values("amount")) == (0.0, 0)


@pytest.mark.parametrize(("value", "share"), [(-1, 0), (0, 0), (0.5, 0.25), (1, 0.5), (1.5, 0.75), (2, 1), (9, 1)])
def test_the_share_up_to_a_value(value, share):
    assert numbers(0.0, 1.0, 2.0).share_up_to(value) == pytest.approx(share)


def test_a_value_that_many_rows_have_counts_whole():
    assert numbers(0.0, 0.0, 0.0, 0.0, 8.0).share_up_to(0) == 0.75
    assert numbers(0.0, 0.0, 0.0, 0.0, 8.0).share_up_to(-0.1) == 0
    assert numbers(3.0, 3.0).share_up_to(3.0) == 1


def test_a_histogram_adds_up():
    assert numbers(0.0, 1.0, 2.0).histogram([0.5, 1.0]) == pytest.approx([0.25, 0.25, 0.5])
    assert math.isnan(numbers().share_up_to(1))
