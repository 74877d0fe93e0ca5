"""Read back by others: TensorFlow's own bytes, the tfrecord package's parser, the crc32c package's checksums."""

import base64
import struct
import sys

import crc32c
import pyarrow as pa
import pytest
import tfrecord

from platform_ml.exports import TFRecord
from platform_ml.spec.errors import PlatformError, StoreError
from platform_ml.testing.exports import ExportContract, invented

# tf.io.TFRecordWriter of TensorFlow 2.21.0 wrote {n: 2^53 + 1, share: 0.5, word: "ß€"} and {n: -1}.
TENSORFLOW = base64.b64decode(
    "OwAAAAAAAAAaI6xcCjkKEQoBbhIMGgoKCIGAgICAgIAQChEKBXNoYXJlEggSBgoEAAAAPwoRCgR3b3JkEgkKBwoFw5/igqyCD3JNFwAAAAAAAADn"
    "zvgeChUKEwoBbhIOGgwKCv///////////wFsnJlt"
)
ROWS = pa.table(
    {"n": [2**53 + 1, -1], "share": pa.array([0.5, None], pa.float32()), "word": ["ß€", None]},
)


class TestTFRecord(ExportContract):
    @pytest.fixture
    def form(self):
        return TFRecord()


def write(path, rows=ROWS):
    TFRecord().write(rows.to_batches(), rows.schema, path)
    return path


def test_the_bytes_are_tensorflows(tmp_path):
    assert write(tmp_path / "some.tfrecord").read_bytes() == TENSORFLOW


def test_tensorflows_bytes_are_read(tmp_path):
    file = write(tmp_path / "some.tfrecord", ROWS.slice(0, 0))
    file.write_bytes(TENSORFLOW)
    assert pa.Table.from_batches(TFRecord().read(file)).equals(ROWS)


def test_another_reader_gets_the_same_rows(tmp_path):
    rows = invented(300)
    kept = rows.select(["customer_id", "visits", "share", "student", "word"])
    found = list(tfrecord.tfrecord_loader(str(write(tmp_path / "some.tfrecord", rows)), None, None))
    assert len(found) == 300
    for row, other in zip(kept.to_pylist(), found, strict=True):
        values = {name: value for name, value in row.items() if value is not None}
        assert values.keys() == other.keys() & set(kept.column_names)
        assert bytes(other.get("word", b"")).decode() == values.get("word", "")
        for name in values.keys() - {"word"}:
            assert repr(other[name][0].item()) == repr(type(other[name][0].item())(values[name]))


def test_the_checksums_are_those_of_another_library(tmp_path):
    data = write(tmp_path / "some.tfrecord", invented(300)).read_bytes()
    place = count = 0
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        for begin, end in ((place, place + 8), (place + 12, place + 12 + length)):
            crc = crc32c.crc32c(data[begin:end])
            masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
            assert struct.unpack_from("<I", data, end)[0] == masked
        place, count = place + 16 + length, count + 1
    assert count == 300


@pytest.mark.parametrize("place", [0, 9, 20, -1])
def test_a_byte_that_was_changed_is_found(tmp_path, place):
    file = write(tmp_path / "some.tfrecord")
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    with pytest.raises(StoreError, match=r"record [12]: .*checksum"):
        list(TFRecord().read(file))


@pytest.mark.parametrize("size", [5, 13, 30, -2])
def test_a_file_that_ends_within_a_record_is_found(tmp_path, size):
    file = write(tmp_path / "some.tfrecord")
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(StoreError, match="the file ends within it"):
        list(TFRecord().read(file))


def test_fractions_keep_seven_digits(tmp_path):
    rows = pa.table({"x": [0.1, 123456.789, None]})
    found = pa.Table.from_batches(TFRecord().read(write(tmp_path / "some.tfrecord", rows)))
    assert found["x"].to_pylist() == [pytest.approx(0.1, rel=1e-7), pytest.approx(123456.789, rel=1e-7), None]
    assert found.schema.equals(rows.schema)


def test_without_its_library_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "google_crc32c", None)
    with pytest.raises(PlatformError, match=r"needs google_crc32c, .* Run: pip install 'platform_ml\[tfrecord\]'"):
        TFRecord().write([], pa.schema([("x", pa.int64())]), tmp_path / "some")
