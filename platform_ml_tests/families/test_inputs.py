from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.families.inputs import column, matrix
from platform_ml.spec.errors import RowsError


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([1, None, 3]), [1, np.nan, 3]),
        (pa.array([True, None, False]), [1, np.nan, 0]),
        (pa.array([Decimal("1.25"), None, Decimal("-3.00")], pa.decimal128(9, 2)), [1.25, np.nan, -3]),
        (pa.array([0.5, None, -0.5], pa.float32()), [0.5, np.nan, -0.5]),
        (pa.array([2**60 + 1, None, 0]), [2.0**60, np.nan, 0]),
        (pa.nulls(3), [np.nan] * 3),
    ],
    ids=["integer", "boolean", "decimal", "float", "large", "null"],
)
def test_numbers_of_every_type(values, expected):
    np.testing.assert_array_equal(column(pa.table({"a": values}), "a"), expected)


def test_chunks_are_one_column():
    rows = pa.concat_tables([pa.table({"a": [1.0]}), pa.table({"a": [2.0]})])
    assert column(rows, "a").tolist() == [1, 2]


def test_the_order_is_the_one_asked_for():
    assert matrix(pa.table({"a": [1.0], "b": [2.0]}), ["b", "a"]).tolist() == [[2, 1]]


def test_a_missing_feature_is_named_with_its_near_miss():
    with pytest.raises(RowsError, match=r"no feature 'amuont'.* Did you mean 'amount'\?"):
        matrix(pa.table({"amount": [1.0]}), ["amuont"])


def test_what_overflows_is_named():
    with pytest.raises(RowsError, match=r"'b' has values beyond"):
        matrix(pa.table({"a": [1.0], "b": [1e39]}), ["a", "b"])


def test_a_time_is_no_number():
    with pytest.raises(RowsError, match="'a' is timestamp"):
        matrix(pa.table({"a": pa.nulls(1, pa.timestamp("us"))}), ["a"])
