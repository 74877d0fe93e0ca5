from dataclasses import replace

import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.ports import Artifact
from platform_ml.engine.split_statistics import FILE, measure_splits, statistics_of, write

ROWS = pa.table(
    {"split": ["test"] * 2 + ["train"] * 5, "amount": [1.0, None, 3.0, 4.0, 5.0, 6.0, None], "brand": list("aabbcca")}
)


def test_each_split_is_measured_by_itself():
    found = measure_splits(ROWS, DuckDB(threads=1))
    assert {name: one.rows for name, one in found.items()} == {"train": 5, "validation": 0, "test": 2}
    amount = found["train"].columns["amount"]
    assert (amount.nulls, amount.minimum, amount.maximum, amount.mean) == (1, 3.0, 6.0, 4.5)
    assert found["train"].columns["brand"].top == {"b": 2, "c": 2, "a": 1}
    assert found["train"].columns.keys() == {"amount", "brand"}


def test_what_is_written_is_read_back(tmp_path):
    found = measure_splits(ROWS, DuckDB(threads=1))
    write(tmp_path, found)
    artifact = Artifact(folder=tmp_path, digest="d", record={"files": {FILE: "sha256"}})
    assert statistics_of(artifact) == found
    assert statistics_of(replace(artifact, record={"files": {}})) == {}


def test_the_same_rows_are_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, measure_splits(ROWS, DuckDB(threads=2)))
    assert (tmp_path / "one" / FILE).read_bytes() == (tmp_path / "two" / FILE).read_bytes()


@pytest.mark.parametrize("rows", [ROWS.slice(0, 0), ROWS.slice(0, 2)])
def test_splits_without_rows(rows):
    assert measure_splits(rows, DuckDB(threads=1))["train"].rows == 0
