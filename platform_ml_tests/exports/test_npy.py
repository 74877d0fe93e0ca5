import numpy as np
import pyarrow as pa
import pytest

from platform_ml.exports import Npy
from platform_ml.spec.errors import StoreError
from platform_ml.testing.exports import ExportContract, invented


class TestNpy(ExportContract):
    @pytest.fixture
    def form(self):
        return Npy()


@pytest.fixture
def rows():
    return invented(300)


@pytest.fixture
def folder(rows, tmp_path):
    Npy().write(rows.to_batches(70), rows.schema, tmp_path / "train")
    return tmp_path / "train"


def test_features_and_label_are_arrays_to_learn_from(folder, rows):
    x, y = np.load(folder / "X.npy", mmap_mode="r"), np.load(folder / "y.npy")
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((300, 4), np.float32, (300,), np.float64)
    for place, name in enumerate(("visits", "share", "student", "amount")):
        expected = rows[name].cast("double").to_numpy(zero_copy_only=False).astype(np.float32)
        np.testing.assert_array_equal(x[:, place], expected)
    assert y.tolist() == [float(lapsed) for lapsed in rows["lapsed"].to_pylist()]


def test_columns_are_exact_and_in_their_own_types(folder, rows):
    columns = {file.name: np.load(file) for file in (folder / "columns").iterdir()}
    assert columns["customer_id.npy"].tolist() == rows["customer_id"].to_pylist()
    assert columns["event_time.npy"].dtype == np.dtype("M8[us]")
    assert columns["student.npy"].dtype == np.bool_
    missing = columns["amount.null.npy"]
    assert missing.tolist() == [amount is None for amount in rows["amount"].to_pylist()]
    cents = [int(amount * 100) for amount in rows["amount"].to_pylist() if amount is not None]
    assert columns["amount.npy"][~missing].tolist() == cents
    assert columns["word.bytes.npy"].tobytes().decode() == "".join(word or "" for word in rows["word"].to_pylist())


def test_without_roles_there_are_columns_only(tmp_path):
    rows = pa.table({"x": [1, 2]})
    Npy().write(rows.to_batches(), rows.schema, tmp_path / "train")
    found = {file.name for file in (tmp_path / "train").rglob("*.npy")}
    assert found == {"x.npy", "x.null.npy"}


def test_columns_of_different_lengths_are_refused(folder):
    np.save(folder / "columns" / "visits.npy", np.zeros(7, np.int64))
    with pytest.raises(StoreError, match="different lengths"):
        list(Npy().read(folder))


@pytest.mark.parametrize("content", [b"", b"x" * 500])
def test_another_file_is_refused(folder, content):
    (folder / "columns" / "visits.npy").write_bytes(content)
    with pytest.raises(StoreError, match="no whole folder of arrays"):
        list(Npy().read(folder))
