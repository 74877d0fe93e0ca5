import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_ml.engine.candidates import ALWAYS, NEVER, Candidates, Refusal, known_newest, ordered, settle
from platform_ml.spec.errors import RowsError

MANY = 1 << 40
small = st.integers(0, 5)
rows = st.lists(st.tuples(small, small, small, small), max_size=20)
"""(key, time, created, sequence)"""
spans = pytest.mark.parametrize("scale", [1, 1 << 58], ids=["keys and times fit one number", "they do not"])


def whole(values):
    return np.array(list(values), np.int64)


def columns(drawn, scale=1):
    table = whole(drawn).reshape(-1, 4)
    return table[:, 0], table[:, 1] * scale, table[:, 2] * scale, table[:, 3]


def newest(drawn, code, moment, since):
    """The position of the row that wins, in plain Python; `since` says from when on a row can be used."""
    some = [(row[1:], position) for position, row in enumerate(drawn) if row[0] == code and since(row) <= moment]
    return max(some)[1] if some else None


def event_time(row):
    return row[1]


def available(row):
    return max(row[1], row[2])


def found(candidates, code, moment):
    last = int(candidates.until(whole([code]), whole([moment]))[0])
    return int(candidates.positions[last - 1]) if last > candidates.starts[code] else None


@spans
@settings(max_examples=80, deadline=None)
@given(drawn=rows)
def test_the_last_row_of_a_key_up_to_a_moment(scale, drawn):
    codes, times, created, sequence = columns(drawn, scale)
    candidates = settle(ordered(codes, times, np.arange(len(codes)), 7), created, sequence, None)
    for code in range(7):
        for moment in range(-1, 7):
            wanted = newest(drawn, code, moment, event_time)
            assert found(candidates, code, moment * scale) == wanted


@spans
@settings(max_examples=80, deadline=None)
@given(drawn=rows)
def test_the_newest_known_row_at_a_moment(scale, drawn):
    codes, times, created, sequence = columns(drawn, scale)
    candidates = settle(ordered(codes, times, np.arange(len(codes)), 7), created, sequence, None)
    candidates = known_newest(candidates, created, times)
    for code in range(7):
        for moment in range(-1, 7):
            wanted = newest(drawn, code, moment, available)
            assert found(candidates, code, moment * scale) == wanted


@spans
@settings(max_examples=40, deadline=None)
@given(drawn=rows)
def test_all_moments_at_once_are_each_alone(scale, drawn):
    codes, times, *_ = columns(drawn, scale)
    candidates = ordered(codes, times, np.arange(len(codes)), 7)
    asked = [(code, moment * scale) for code in range(7) for moment in range(-1, 7)]
    together = candidates.until(*map(whole, zip(*asked, strict=True)))
    assert [candidates.until(whole([code]), whole([moment]))[0] for code, moment in asked] == together.tolist()


@pytest.mark.parametrize("keys", [10, 1_000_000, MANY])
def test_keys_that_come_after_all_rows_find_none_of_them(keys):
    year = 31_536_000_000_000
    candidates = Candidates.of(whole([0, 0, 2]), whole([0, year, 5]), whole([0, 1, 2]), 3)
    asked = whole({3, keys // 3, keys // 2, keys - 1})
    for moment in (-year, 0, 5, year, 2 * year):
        assert candidates.until(asked, np.full(len(asked), moment)).tolist() == [3] * len(asked)


def test_no_row_at_all():
    candidates = ordered(whole([]), whole([]), whole([]), 4)
    assert candidates.until(whole([0, 3]), whole([NEVER, ALWAYS])).tolist() == [0, 0]
    assert candidates.starts.tolist() == [0] * 5
    assert settle(candidates, None, None, None) is candidates
    assert len(known_newest(candidates, whole([]), whole([])).codes) == 0


def refusal(**values):
    return Refusal(where="Feature group 'facts'", rows=pa.table(values), keys=("id",))


def test_rows_that_nothing_orders_are_refused_unless_they_are_equal():
    tied = ordered(whole([0, 0, 0, 1]), whole([5, 5, 5, 5]), np.arange(4), 2)
    nan = float("nan")
    settle(tied, None, None, refusal(id=[1, 1, 1, 2], x=[nan, nan, nan, 1.0], name=[None, None, None, "a"]))
    with pytest.raises(
        RowsError, match=r"'facts': 1 rows have .* first id = 1: x is 2\.0 and 3.0; name is None and 'b'"
    ):
        settle(tied, None, None, refusal(id=[1, 1, 1, 2], x=[2.0, 2.0, 3.0, 1.0], name=[None, None, "b", "a"]))
    settle(tied, None, None, refusal(id=[1, 1, 1, 2], x=[[1.0, None], [1.0, None], [1.0, None], None]))
    with pytest.raises(RowsError, match=r"x is \[1\.0\] and \[1\.0, None\]"):
        settle(tied, None, None, refusal(id=[1, 1, 1, 2], x=[[1.0], [1.0], [1.0, None], None]))
    with pytest.raises(RowsError, match="2 rows have the same key"):
        settle(tied, None, None, refusal(id=[1, 1, 1, 2], x=[2.0, 3.0, 2.0, 1.0]))


def test_what_orders_rows_leaves_nothing_to_refuse():
    tied = ordered(whole([0, 0]), whole([5, 5]), np.arange(2), 1)
    differing = refusal(id=[1, 1], x=[1.0, 2.0])
    assert settle(tied, whole([9, 8]), None, differing).positions.tolist() == [1, 0]
    assert settle(tied, whole([8, ALWAYS]), None, differing).positions.tolist() == [1, 0]
    assert settle(tied, whole([8, 8]), whole([2, 1]), differing).positions.tolist() == [1, 0]
    with pytest.raises(RowsError, match=r"id = 1: x is 1\.0 and 2\.0"):
        settle(tied, whole([8, 8]), whole([1, 1]), differing)
