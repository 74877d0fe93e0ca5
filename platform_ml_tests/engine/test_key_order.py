from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from platform_ml.engine.key_order import ordered, rises, runs

TIMES = [datetime(2024, 1, n, tzinfo=UTC) for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([-1, 0, 7], pa.int64()),
        ([Decimal("-1.5"), Decimal(0), Decimal("2.5")], pa.decimal128(9, 2)),
        (["", "B", "a"], pa.string()),
        (TIMES, pa.timestamp("us", "UTC")),
        ([-1.5, 0.0, 2.5], pa.float64()),
    ],
    ids=str,
)
def test_keys_of_every_type(values, kind):
    one, two, three = values
    assert rises(pa.table({"k": pa.array(values, kind)}), ["k"])
    assert not rises(pa.table({"k": pa.array([one, one, two], kind)}), ["k"])
    rows, single = ordered(pa.table({"k": pa.array([three, one, two], kind)}), ["k"])
    assert (rows["k"].to_pylist(), single) == (values, True)
    rows, single = ordered(pa.table({"k": pa.array([three, one, three], kind)}), ["k"])
    assert (rows["k"].to_pylist(), single) == ([one, three, three], False)


def test_a_key_of_false_and_true():
    assert rises(pa.table({"k": [False, True]}), ["k"])
    assert not rises(pa.table({"k": [True, False]}), ["k"])


def test_later_columns_count_where_earlier_ones_are_equal():
    rows = pa.table({"one": [1, 1, 2], "two": ["a", "b", "a"]})
    assert rises(rows, ["one", "two"])
    assert not rises(rows, ["two", "one"])
    assert not rises(rows, ["one"])


def test_pieces_are_compared_across_their_ends():
    pieces = [pa.table({"k": [1, 2]}), pa.table({"k": [2, 3]})]
    assert not rises(pa.concat_tables(pieces), ["k"])
    assert rises(pa.concat_tables([pieces[0].slice(0, 1), pieces[1]]), ["k"])


@pytest.mark.parametrize("key", [[1, None], [None, None], [float("nan"), 1.0], [0.0, -0.0]])
def test_what_cannot_be_compared_does_not_rise(key):
    assert not rises(pa.table({"k": pa.array(key)}), ["k"])


def test_rows_in_order_are_not_copied():
    rows = pa.table({"k": [1, 2, 3]})
    assert ordered(rows, ["k"])[0] is rows


def test_no_row_and_one_row():
    assert rises(pa.table({"k": pa.array([], pa.int64())}), ["k"])
    assert rises(pa.table({"k": [1]}), ["k"])


def test_stretches_of_equal_values_reach_across_pieces():
    column = pa.chunked_array([["a", "a"], [], ["a", "b"], ["b"], ["a"]], pa.string())
    assert runs(column) == runs(column.dictionary_encode()) == [("a", 0, 3), ("b", 3, 2), ("a", 5, 1)]
    assert runs(pa.chunked_array([], pa.string())) == []
