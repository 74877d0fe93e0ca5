import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_ml.engine.match import Keys

number = st.none() | st.sampled_from([0, 1, -1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63)])
text = st.none() | st.sampled_from(["", "1", "11", "a", "A", "é", "e\u0301", "日本", "x" * 300])
keys = st.lists(st.tuples(number, text, number), max_size=12)


def columns(drawn, width):
    kinds = (pa.int64(), pa.string(), pa.int64())[:width]
    return [pa.chunked_array([pa.array([row[n] for row in drawn], kind)]) for n, kind in enumerate(kinds)]


@settings(max_examples=150, deadline=None)
@given(keys, keys, st.integers(0, 3), st.booleans())
def test_rows_have_the_number_of_the_equal_key_and_of_no_other(here, there, width, nulls):
    found = Keys.of(columns(here, width), len(here), nulls=nulls)
    numbers = found.find(columns(there, width), len(there))
    known = {}
    for row, code in zip(here, found.codes.tolist(), strict=True):
        key = row[:width]
        if None in key and not nulls:
            assert code == -1
        else:
            assert known.setdefault(key, code) == code
            assert 0 <= code < found.count
    assert len(set(known.values())) == len(known)
    assert [known.get(row[:width], 0 if not width else -1) for row in there] == numbers.tolist()


def test_numbers_follow_the_order_of_the_keys():
    found = Keys.of([pa.chunked_array([[5, -3, None, 5, 0]])], 5, nulls=False)
    assert found.codes.tolist() == [2, 0, -1, 2, 1]
    assert Keys.of([pa.chunked_array([[5, -3, None]])], 3, nulls=True).codes.tolist() == [1, 0, 2]


def test_columns_are_never_glued_together():
    pairs = [(1, "11"), (11, "1"), (1, "1"), (111, "")]
    found = Keys.of(columns(pairs, 2), 4, nulls=False)
    assert sorted(found.codes.tolist()) == [0, 1, 2, 3]
    assert found.find(columns([(11, "11"), (11, "1")], 2), 2).tolist() == [-1, found.codes[1]]


@pytest.mark.parametrize("repeats", [1, 2, 50])
def test_values_that_stand_in_a_row(repeats):
    found = Keys.of([pa.chunked_array([[1, 2, 3]])], 3, nulls=False)
    there = [value for value in (3, 1, 7, 2) for _ in range(repeats)]
    assert found.find([pa.chunked_array([there])], len(there)).tolist() == [
        n for n in (2, 0, -1, 1) for _ in range(repeats)
    ]


def test_empty_tables():
    none = pa.chunked_array([], pa.int64())
    assert Keys.of([none], 0, nulls=False).find([pa.chunked_array([[1, 2]])], 2).tolist() == [-1, -1]
    assert Keys.of([pa.chunked_array([[1, 2]])], 2, nulls=False).find([none], 0).tolist() == []
