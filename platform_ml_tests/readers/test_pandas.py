import pandas as pd
import pyarrow as pa
import pytest

from platform_ml.exports import Csv, Parquet
from platform_ml.readers import Pandas
from platform_ml.testing.exports import invented
from platform_ml.testing.readers import ReaderContract, store


class TestPandas(ReaderContract):
    @pytest.fixture
    def reader(self):
        return Pandas()

    def table(self, read):
        return pa.Table.from_pandas(pd.concat(list(read)), preserve_index=False)


def test_frames_come_one_at_a_time_and_are_numbered_through(tmp_path):
    frames = list(Pandas(columns=("word",)).read(store(Parquet(), tmp_path, invented(1_000), files=4)))
    assert len(frames) == 4
    whole = pd.concat(frames)
    assert list(whole.index) == list(range(1_000))
    assert list(whole.columns) == ["word"]


def test_null_stays_apart_from_nan_and_whole_numbers_stay_whole(tmp_path):
    rows = pa.table({"n": [2**53 + 1, None], "x": [float("nan"), None]})
    frame = pd.concat(list(Pandas().read(store(Csv(), tmp_path, rows))))
    assert frame["n"].iloc[0] == 2**53 + 1
    assert frame["x"].isna().tolist() == [False, True]
