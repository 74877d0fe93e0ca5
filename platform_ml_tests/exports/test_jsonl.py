import json

import pyarrow as pa
import pytest

from platform_ml.exports import Jsonl
from platform_ml.spec.errors import RowsError, StoreError
from platform_ml.testing.exports import CASES, ExportContract, invented


class TestJsonl(ExportContract):
    @pytest.fixture
    def form(self):
        return Jsonl()


def write(folder, rows):
    Jsonl().write(rows.to_batches(), rows.schema, folder / "some.jsonl")
    return folder / "some.jsonl"


def strict(text):
    def refuse(constant):
        pytest.fail(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_every_line_is_strict_json_for_any_reader(tmp_path):
    rows = invented(300)
    lines = write(tmp_path, rows).read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert [list(strict(line)) for line in lines] == [rows.column_names] * 300
    assert [strict(line)["word"] for line in lines] == rows["word"].to_pylist()


def test_what_json_has_no_number_for_is_text(tmp_path):
    rows = pa.table({"x": [float("nan"), float("inf"), -float("inf"), None, 0.1], "n": [2**63 - 1, 0, 1, None, 2]})
    assert [strict(line) for line in write(tmp_path, rows).read_text().splitlines()] == [
        {"x": "NaN", "n": 2**63 - 1},
        {"x": "Infinity", "n": 0},
        {"x": "-Infinity", "n": 1},
        {"x": None, "n": None},
        {"x": 0.1, "n": 2},
    ]


def test_moments_and_decimals_are_text(tmp_path):
    rows = pa.table({"at": CASES["moment"].slice(0, 1), "amount": CASES["decimal"].slice(1, 1)})
    assert write(tmp_path, rows).read_text() == '{"at":"1900-01-01T00:00:00.000001Z","amount":"-0.01"}\n'


def test_a_year_that_text_cannot_say_is_refused(tmp_path):
    rows = pa.table({"at": pa.array([2**62], pa.timestamp("us", tz="UTC"))})
    with pytest.raises(RowsError, match="'at' has a moment outside the years 1 to 9999"):
        write(tmp_path, rows)


@pytest.mark.parametrize("line", ["{", "{}", "[1]", '{"n":"one"}', '{"n":1.5}', '{"n":9223372036854775808}'])
def test_another_line_is_refused(tmp_path, line):
    file = write(tmp_path, pa.table({"n": [1]}))
    file.write_text(f'{{"n":1}}\n{line}\n')
    with pytest.raises(StoreError, match="does not hold the rows"):
        list(Jsonl().read(file))
