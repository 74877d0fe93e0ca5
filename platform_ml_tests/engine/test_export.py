import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from torch.utils.data import DataLoader

from platform_ml.engine.export import MANIFEST, export, formats, open_export, published
from platform_ml.engine.ports import Artifact
from platform_ml.engine.training_dataset import materialize_training_dataset
from platform_ml.exports import Csv, Hdf5, Npy, Parquet
from platform_ml.readers import Torch
from platform_ml.spec.errors import PlatformError, RowsError, StoreError
from platform_ml.spec.training_dataset import SPLITS
from platform_ml.testing.exports import cells, invented
from platform_ml_tests.engine.shop import CUTOFF, lapse_dataset, lapse_view, work_in

NAME = "shop/lapse_dataset"
TO_ROOT = Path(__file__).parents[2]
EXACT = [form for form in formats().values() if not form.loses]


@pytest.fixture(scope="session")
def artifact(tmp_path_factory, built):
    folder = tmp_path_factory.mktemp("published")
    shutil.copytree(built.platform.landing.parent, folder / "shop")
    return materialize_training_dataset(lapse_dataset, CUTOFF, work=work_in(folder / "shop"), made_by={}).artifact


def big(folder, rows):
    """A published dataset of so many rows."""
    table = invented(rows).rename_columns(
        ["customer_id", "event_time", "visits", "share", "student", "amount", "known_time", "lapsed"]
    )
    table = table.replace_schema_metadata(None)
    folder.mkdir()
    for split in SPLITS:
        pq.write_table(table, folder / f"{split}.parquet")
    record = {"features": ["visits", "share", "amount"], "helpers": ["student"], "cutoff": "2024-01-01", "files": {}}
    return Artifact(folder=folder, digest="d" * 64, record=record)


def whole(export, split):
    rows = export.rows(split)
    return pa.Table.from_batches(rows.batches(), schema=rows.schema)


@pytest.mark.parametrize("form", EXACT, ids=lambda form: form.name)
def test_every_split_comes_back_as_it_was_published(artifact, tmp_path, form):
    export(artifact, form, tmp_path / "out", name=NAME)
    done = open_export(tmp_path / "out")
    for split in SPLITS:
        there = pq.read_table(artifact.folder / f"{split}.parquet")
        assert there.num_rows == done.rows(split).rows == done.manifest["splits"][split]["rows"] > 0
        assert cells(whole(done, split)) == cells(there)
        assert whole(done, split).schema.types == there.schema.types


def test_the_manifest_says_what_it_is(artifact, tmp_path):
    export(artifact, formats()["tfrecord"], tmp_path / "out", name=NAME)
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert (manifest["dataset"], manifest["digest"], manifest["format"]) == (NAME, artifact.digest, "tfrecord")
    assert set(manifest["files"]) == {"train.tfrecord", "validation.tfrecord", "test.tfrecord", "schema.json"}
    assert list(manifest["loses"]) == ["double"]
    roles = {}
    for column in manifest["columns"]:
        roles.setdefault(column["role"], []).append(column["name"])
    assert roles == {
        "entity": ["customer_id"],
        "event_time": ["event_time"],
        "label": ["lapsed"],
        "known_time": ["known_time"],
        "feature": lapse_view.feature_names,
        "helper": lapse_view.helper_names,
    }


def test_splits_are_chosen(artifact, tmp_path):
    done = export(artifact, Csv(), tmp_path / "out", name=NAME, splits=["test"])
    assert {path.name for path in done.folder.iterdir()} == {"test.csv", "schema.json", MANIFEST}
    with pytest.raises(RowsError, match="has no split 'train'"):
        done.rows("train")
    with pytest.raises(RowsError, match=r"There is no split 'tets'\. Did you mean 'test'"):
        published(artifact, "tets")


@pytest.mark.parametrize("form", [Parquet(), Npy(), Csv()], ids=lambda form: form.name)
def test_big_splits_become_several_files(tmp_path, form):
    source = big(tmp_path / "source", 1_000)
    done = export(source, form, tmp_path / "out", name=NAME, rows_per_file=300, splits=["train"])
    files = done.manifest["splits"]["train"]["files"]
    assert [file["rows"] for file in files] == [300, 300, 300, 100]
    assert files[3]["path"] == f"train-00003-of-00004{form.suffix}"
    assert cells(whole(done, "train")) == cells(pq.read_table(source.folder / "train.parquet"))


def test_many_batches_are_files_of_whole_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("platform_ml.engine.export.ROWS_PER_BATCH", 64)
    done = export(big(tmp_path / "source", 1_000), Parquet(), tmp_path / "out", name=NAME, rows_per_file=500)
    assert [file["rows"] for file in done.manifest["splits"]["train"]["files"]] == [448, 448, 104]
    assert Parquet().blocks(done.rows("train").files[0].path, 448) == [64] * 7


def test_torch_learns_from_the_export_and_from_the_published_rows(artifact, tmp_path):
    done = export(artifact, Parquet(), tmp_path / "out", name=NAME)
    how = Torch(batch_rows=16, features=tuple(lapse_view.feature_names))
    both = (done.rows("train"), published(artifact, "train"))
    here, there = (list(DataLoader(how.read(rows), batch_size=None)) for rows in both)
    assert len(here) == len(there) > 1
    for (x, y), (other_x, other_y) in zip(here, there, strict=True):
        assert x.shape == (len(y), len(lapse_view.feature_names))
        assert x.nan_to_num(-1).equal(other_x.nan_to_num(-1))
        assert y.equal(other_y)


def test_the_same_export_is_left_as_it_is_and_another_is_refused(artifact, tmp_path):
    to = tmp_path / "out"
    export(artifact, Csv(), to, name=NAME)
    before = {path.name: path.stat().st_mtime_ns for path in to.iterdir()}
    export(artifact, Csv(), to, name=NAME)
    assert {path.name: path.stat().st_mtime_ns for path in to.iterdir()} == before
    with pytest.raises(StoreError, match=f"holds another export, of {NAME}"):
        export(artifact, Parquet(), to, name=NAME)
    with pytest.raises(StoreError, match=f"holds another export, of {NAME}"):
        export(artifact, Csv(), to, name=NAME, splits=["train"])


def test_a_folder_with_something_else_is_left_alone(artifact, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreError, match="is not empty"):
        export(artifact, Csv(), tmp_path, name=NAME)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("form", formats().values(), ids=lambda form: form.name)
@pytest.mark.parametrize("harm", ["cut", "changed", "gone"])
def test_a_file_that_was_harmed_is_found(artifact, tmp_path, form, harm):
    done = export(artifact, form, tmp_path / "out", name=NAME)
    for path in done.manifest["files"]:
        file = done.folder / path
        data = file.read_bytes()
        match harm:
            case "cut":
                file.write_bytes(data[:-1])
            case "changed":
                file.write_bytes(bytes([data[0] ^ 1]) + data[1:])
            case "gone":
                file.unlink()
        with pytest.raises(StoreError, match="is missing" if harm == "gone" else "was changed"):
            open_export(done.folder)
        file.write_bytes(data)
    assert open_export(done.folder) == done


def test_a_failed_export_leaves_nothing(tmp_path):
    source = big(tmp_path / "source", 1_000)
    rows = pq.read_table(source.folder / "test.parquet")
    words = pa.array([*rows["known_time"].to_pylist()[:-1], "no\0text"])
    pq.write_table(rows.set_column(6, "known_time", words), source.folder / "test.parquet")
    with pytest.raises(RowsError, match="NUL"):
        export(source, Hdf5(), tmp_path / "out", name=NAME)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_a_dataset_that_was_changed_is_not_exported(artifact, tmp_path):
    spoilt = shutil.copytree(artifact.folder, tmp_path / "spoilt")
    with (spoilt / "test.parquet").open("r+b") as file:
        file.seek(100)
        file.write(b"x")
    with pytest.raises(StoreError, match=r"test\.parquet was changed"):
        export(replace(artifact, folder=spoilt), Csv(), tmp_path / "out", name=NAME)
    assert [path.name for path in tmp_path.iterdir()] == ["spoilt"]


def test_a_folder_that_cannot_be_written_is_one_line(artifact, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write \(File exists\)"):
        export(artifact, Csv(), tmp_path / "file" / "out", name=NAME)


KILLED = """
import sys
from pathlib import Path
from platform_ml.engine.export import export, formats
from platform_ml_tests.engine.test_export import big
source = big(Path(sys.argv[1]) / "source", 20_000)
print("begin", flush=True)
export(source, formats()["jsonl"], Path(sys.argv[1]) / "out", name="x/y")
print("end", flush=True)
"""


@pytest.mark.parametrize("after", [0.0, 0.1, 0.3])
def test_a_killed_export_leaves_no_folder(tmp_path, after):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path],
        cwd=TO_ROOT,
        env=os.environ | {"PYTHONPATH": str(TO_ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "begin\n"
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    ended = "end" in process.communicate()[0]
    assert (tmp_path / "out").exists() is ended
    done = export(big_again(tmp_path), formats()["jsonl"], tmp_path / "out", name="x/y")
    assert open_export(done.folder).rows("test").rows == 20_000


def big_again(folder):
    shutil.rmtree(folder / "source")
    return big(folder / "source", 20_000)


def test_what_cannot_be_is_refused(artifact, tmp_path):
    with pytest.raises(PlatformError, match="rows_per_file is 0"):
        export(artifact, Csv(), tmp_path / "out", name=NAME, rows_per_file=0)
    with pytest.raises(StoreError, match="holds no export"):
        open_export(tmp_path)
    done = export(artifact, Csv(), tmp_path / "out", name=NAME)
    with pytest.raises(PlatformError, match=r"no format 'csw'\. Did you mean 'csv'"):
        replace(done, manifest={**done.manifest, "format": "csw"}).rows("train")
