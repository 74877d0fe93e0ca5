import hashlib
import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_ml.engine.content import canonical, content_hash, file_sha256
from platform_ml.spec.errors import StoreError

DECIMALS = st.decimals(-(10**6), 10**6, places=2, allow_nan=False)
STRUCT = pa.struct([("n", pa.int64()), ("s", pa.string())])
CELLS = {
    pa.bool_(): st.booleans(),
    pa.int8(): st.integers(-128, 127),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.floats(),
    pa.string(): st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    pa.binary(): st.binary(max_size=5),
    pa.binary(2): st.binary(min_size=2, max_size=2),
    pa.decimal128(12, 2): DECIMALS,
    pa.date32(): st.dates(),
    pa.timestamp("us", "UTC"): st.datetimes(timezones=st.just(UTC)),
    pa.list_(pa.int64()): st.lists(st.none() | st.integers(-9, 9), max_size=3),
    pa.list_(pa.string()): st.lists(st.none() | st.sampled_from(["", "a", "bc"]), max_size=3),
    pa.list_(pa.float64(), 2): st.lists(st.none() | st.floats(), min_size=2, max_size=2),
    STRUCT: st.fixed_dictionaries({"n": st.none() | st.integers(0, 9), "s": st.none() | st.sampled_from(["", "a"])}),
}


@st.composite
def tables(draw, min_rows=0):
    length = draw(st.integers(min_rows, 12))
    kinds = draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=4))
    columns = [draw(st.lists(st.none() | CELLS[kind], min_size=length, max_size=length)) for kind in kinds]
    arrays = [pa.array(cells, kind) for cells, kind in zip(columns, kinds, strict=True)]
    return pa.table(arrays, names=[f"c{number}" for number in range(len(kinds))])


def one(values, kind=None):
    return content_hash(pa.table({"x": pa.array(values, kind)}))


@settings(deadline=None)
@given(tables(), st.data())
def test_chunks_do_not_count(rows, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, rows.num_rows), max_size=4)))
    pieces = [rows.slice(start, end - start) for start, end in zip([0, *cuts], [*cuts, rows.num_rows], strict=True)]
    assert content_hash(pa.concat_tables(pieces)) == content_hash(rows)


@settings(deadline=None)
@given(tables(min_rows=2), st.data())
def test_a_slice_is_like_its_copy(rows, data):
    start = data.draw(st.integers(0, rows.num_rows))
    part = rows.slice(start, data.draw(st.integers(0, rows.num_rows)))
    copy = pa.table([pa.array(column.to_pylist(), column.type) for column in part.columns], names=part.column_names)
    assert content_hash(part) == content_hash(copy)


@settings(deadline=None)
@given(tables(min_rows=1), st.data())
def test_every_cell_counts(rows, data):
    number = data.draw(st.integers(0, rows.num_columns - 1))
    row = data.draw(st.integers(0, rows.num_rows - 1))
    column = rows.column(number)
    cells = column.to_pylist()
    cells[row] = data.draw(CELLS[column.type]) if cells[row] is None else None
    changed = rows.set_column(number, rows.column_names[number], pa.array(cells, column.type))
    assert content_hash(changed) != content_hash(rows)


@settings(deadline=None)
@given(tables(min_rows=1), st.data())
def test_the_value_of_a_cell_counts(rows, data):
    number = data.draw(st.integers(0, rows.num_columns - 1))
    column = rows.column(number)
    other = pa.array(data.draw(st.permutations(column.to_pylist())), column.type)
    changed = rows.set_column(number, rows.column_names[number], other)
    same = repr(canonical_cells(other.to_pylist())) == repr(canonical_cells(column.to_pylist()))
    assert (content_hash(changed) == content_hash(rows)) == same


def canonical_cells(value):
    if isinstance(value, list):
        return [canonical_cells(cell) for cell in value]
    return 0.0 if isinstance(value, float) and value == 0 else value


@pytest.mark.parametrize(
    ("kind", "width"), [(pa.int64(), 8), (pa.float64(), 8), (pa.binary(8), 8), (pa.decimal128(9, 2), 16)], ids=str
)
def test_garbage_beneath_a_null_does_not_count(kind, width):
    valid = pa.py_buffer(b"\x05")
    arrays = [
        pa.Array.from_buffers(kind, 3, [valid, pa.py_buffer(b"\1" * width + garbage * width + b"\2" * width)])
        for garbage in (b"\0", b"\x7f")
    ]
    first, second = (content_hash(pa.table({"x": array})) for array in arrays)
    assert first == second


def test_text_beneath_a_null_does_not_count():
    offsets = pa.array([0, 1, 3, 4], pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.string(), 3, [pa.py_buffer(b"\x05"), offsets, pa.py_buffer(b"aXYb")])
    assert content_hash(pa.table({"x": text})) == one(["a", None, "b"])


def test_a_list_beneath_a_null_does_not_count():
    values, mask = pa.array([1, 9, 9, 2]), pa.array([False, True, False])
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 3, 4], pa.int32()), values, mask=mask)
    assert content_hash(pa.table({"x": lists})) == one([[1], None, [2]])


def test_a_field_beneath_a_null_does_not_count():
    struct = pa.StructArray.from_arrays([pa.array([1, 9])], ["n"], mask=pa.array([False, True]))
    assert content_hash(pa.table({"x": struct})) == one([{"n": 1}, None])


def test_a_bitmap_without_nulls_does_not_count():
    data = pa.array([1, 2]).buffers()[1]
    array = pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(b"\x03"), data])
    assert content_hash(pa.table({"x": array})) == one([1, 2])


def test_one_nan_and_one_zero():
    odd = pa.py_buffer(b"\1\0\0\0\0\0\xf8\xff" + b"\0\0\0\0\0\0\0\x80")
    array = pa.Array.from_buffers(pa.float64(), 2, [None, odd])
    assert math.copysign(1, array[1].as_py()) == -1
    assert content_hash(pa.table({"x": array})) == one([math.nan, 0.0])
    assert one([math.nan]) != one([None])
    assert one([-0.0], pa.float32()) == one([0.0], pa.float32())
    assert one([[-0.0]]) == one([[0.0]])


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())], ids=str)
def test_the_encoding_of_text_does_not_count(kind):
    assert one(["a", None, "bc", "a"], kind) == one(["a", None, "bc", "a"], pa.string())


def test_a_null_in_a_dictionary_is_a_null():
    encoded = pa.DictionaryArray.from_arrays(pa.array([0, 1, None]), pa.array(["a", None]))
    assert content_hash(pa.table({"x": encoded})) == one(["a", None, None])


def test_schema_metadata_and_nullability_do_not_count():
    schema = pa.schema([pa.field("x", pa.int64(), nullable=False, metadata={"unit": "km"})], metadata={"made": "here"})
    assert content_hash(pa.table({"x": [1]}, schema=schema)) == one([1])


def test_names_types_and_order_count():
    rows = pa.table({"a": [1, 2], "b": [3, 4]})
    different = [
        rows,
        rows.select(["b", "a"]),
        rows.take([1, 0]),
        rows.rename_columns(["a", "c"]),
        rows.slice(0, 1),
        rows.slice(0, 0),
        rows.slice(0, 0).select(["a"]),
        pa.table({"a": pa.array([1, 2], pa.int32()), "b": [3, 4]}),
        pa.table({"a": pa.array([1, 2], pa.timestamp("us", "UTC")), "b": [3, 4]}),
        pa.table({"a": pa.array([1, 2], pa.timestamp("us")), "b": [3, 4]}),
    ]
    assert len({content_hash(table) for table in different}) == len(different)


def test_values_cannot_wander_between_cells():
    texts = [["ab", "c"], ["a", "bc"], ["abc", ""], ["abc", None], [None, "abc"]]
    assert len({one(cells) for cells in texts}) == len(texts)
    lists = [[[1], [2]], [[1, 2], []], [[1, 2], None], [[], [1, 2]]]
    assert len({one(cells) for cells in lists}) == len(lists)


def test_the_hash_is_the_same_on_every_machine():
    rows = pa.table(
        {
            "key": pa.array([1, 2, None]),
            "name": ["a", None, "ü"],
            "share": [0.5, float("nan"), None],
            "paid": pa.array([Decimal("1.50"), None, Decimal("-2.00")], pa.decimal128(9, 2)),
            "day": [date(2024, 1, 31), None, date(1969, 12, 31)],
            "at": pa.array([datetime(2024, 1, 31, tzinfo=UTC), None, None], pa.timestamp("us", "UTC")),
            "yes": [True, None, False],
            "parts": [["x"], None, []],
        }
    )
    assert content_hash(rows) == "09cbac9fd40f547820770c0edb6d720220052e46146d96cf046c8c5828059c86"


def test_a_type_without_canonical_bytes_is_refused():
    with pytest.raises(StoreError, match=r"'x' of type map<string, int64>.*list of structs"):
        one([[("a", 1)]], pa.map_(pa.string(), pa.int64()))


def test_types_lose_their_encoding():
    nested = pa.list_(pa.struct([("x", pa.dictionary(pa.int8(), pa.large_string()))]))
    assert canonical(nested) == pa.list_(pa.struct([("x", pa.string())]))


def test_a_file_is_hashed_whole(tmp_path):
    data = bytes(range(256)) * 9000
    (tmp_path / "x").write_bytes(data)
    assert file_sha256(tmp_path / "x") == file_sha256(str(tmp_path / "x")) == hashlib.sha256(data).hexdigest()
