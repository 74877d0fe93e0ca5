import math

import pyarrow as pa

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine import row_diff
from platform_ml.engine.row_diff import Rows, row_changes

COMPUTE = DuckDB(memory="200MB", threads=2)


def rows(*values):
    names = ("key", "split", "x", "word")
    kinds = (pa.int64(), pa.string(), pa.float64(), pa.string())
    columns = list(zip(*values, strict=True)) or [[]] * len(names)
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)], names=names)


def changes(before, after):
    return row_changes(
        {"before": rows(*before), "after": rows(*after)},
        key=["key"],
        columns=["x", "word"],
        group="split",
        compute=COMPUTE,
    )


def test_added_removed_moved_and_changed():
    before = [(1, "train", 1.0, "a"), (2, "train", 2.0, "b"), (3, "test", 3.0, "c"), (4, "test", 4.0, "d")]
    after = [(1, "train", 1.5, "z"), (2, "train", 2.0, "b"), (3, "train", 3.0, "y"), (5, "test", 5.0, "e")]
    assert changes(before, after) == [
        Rows(was=None, now="test", rows=1, changed=0, columns={}),
        Rows(was="test", now=None, rows=1, changed=0, columns={}),
        Rows(was="test", now="train", rows=1, changed=1, columns={"word": 1}),
        Rows(was="train", now="train", rows=2, changed=1, columns={"x": 1, "word": 1}),
    ]


def test_nan_and_null_equal_themselves_and_not_each_other():
    before = [(1, "a", math.nan, None), (2, "a", math.nan, None), (3, "a", None, "")]
    after = [(1, "a", math.nan, None), (2, "a", None, ""), (3, "a", None, None)]
    assert changes(before, after) == [Rows(was="a", now="a", rows=3, changed=2, columns={"x": 1, "word": 2})]


def test_nothing_against_nothing_and_something():
    assert changes([], []) == []
    assert changes([], [(1, "a", 1.0, "")]) == [Rows(was=None, now="a", rows=1, changed=0, columns={})]


def test_more_columns_than_one_query_takes(monkeypatch):
    monkeypatch.setattr(row_diff, "CHUNK", 1)
    before, after = [(1, "a", 1.0, "x"), (2, "a", 2.0, "y")], [(1, "a", 1.0, "z"), (2, "a", 3.0, "y")]
    assert changes(before, after) == [Rows(was="a", now="a", rows=2, changed=2, columns={"x": 1, "word": 1})]
