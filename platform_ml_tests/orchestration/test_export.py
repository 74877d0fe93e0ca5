"""The command, on a dataset that lies where the embedded platform publishes."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.cli import main
from platform_ml.engine.export import MANIFEST, open_export
from platform_ml.spec.training_dataset import SPLITS

DIGEST = "abcdef" + 58 * "0"
ROWS = pa.table(
    {
        "household_id": [2**53 + 1, 2],
        "event_time": pa.array([0, 1], pa.timestamp("us", tz="UTC")),
        "churned": [True, False],
        "known_time": pa.array([2, 3], pa.timestamp("us", tz="UTC")),
        "spend": [0.1, None],
        "income": ["", None],
    }
)
RECORD = {
    "cutoff": "2017-12-02",
    "features": ["spend"],
    "helpers": ["income"],
    "split": {"splits": {split: {"rows": 2} for split in SPLITS}},
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))


@pytest.fixture
def dataset():
    def fill(folder):
        for split in SPLITS:
            pq.write_table(ROWS, folder / f"{split}.parquet")

    return Folders(Path("data", "artifacts").absolute()).publish(
        "datasets/retail/churn_dataset/2017-12-02", DIGEST, RECORD, fill
    )


@pytest.mark.parametrize("version", ["latest", "2017-12-02", "abcdef"])
@pytest.mark.parametrize("name", ["churn_dataset", "retail/churn_dataset"])
def test_a_version_is_exported(dataset, capsys, name, version):
    assert main(["export", f"{name}@{version}", "--format", "csv", "--to", "out/churn"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "retail/churn_dataset@abcdef000000, cutoff 2017-12-02, as csv in out/churn",
        "  train                  2 rows  train.csv",
        "  validation             2 rows  validation.csv",
        "  test                   2 rows  test.csv",
        f"  {MANIFEST}            4 checksums",
    ]
    assert pc.read_csv("out/churn/train.csv")["household_id"].to_pylist() == [2**53 + 1, 2]
    rows = open_export(Path("out/churn")).rows("train")
    assert pa.Table.from_batches(rows.batches()).cast(ROWS.schema).equals(ROWS)
    assert rows.names("label") == ["churned"]


def test_splits_and_files_are_chosen_and_what_is_lost_is_said(dataset, capsys):
    command = ["export", "churn_dataset@latest", "--format", "tfrecord", "--to", "out"]
    assert main([*command, "--split", "test", "--split", "train", "--rows-per-file", "1", "--project", "retail"]) == 0
    assert {path.name for path in Path("out").iterdir()} == {
        *(f"{split}-0000{n}-of-00002.tfrecord" for split in ("train", "test") for n in (0, 1)),
        "schema.json",
        MANIFEST,
    }
    said = capsys.readouterr().out
    assert "train-00000-of-00002.tfrecord and 1 more" in said
    assert "not exact: spend (double). tf.train.Example has floats of 32 bits only" in said


@pytest.mark.parametrize(
    ("dataset_at", "form", "problem"),
    [
        ("churn_dataset@latest", "csw", "There is no format 'csw'. Did you mean 'csv'? Known: arrow, "),
        ("churn_dataset@2017-12-03", "csv", "there is no such version. Did you mean '2017-12-02'?"),
        ("churn@latest", "csv", "There is no training dataset 'churn'."),
    ],
)
def test_what_is_not_there_is_one_line(dataset, capsys, dataset_at, form, problem):
    assert main(["export", dataset_at, "--format", form, "--to", "out"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert problem in err
    assert not Path("out").exists()


def test_before_anything_was_published(capsys):
    assert main(["export", "churn_dataset@latest", "--format", "csv", "--to", "out"]) == 1
    assert "retail/churn_dataset was never built" in capsys.readouterr().err


def test_an_export_can_be_put_under_dvc(dataset, capsys, tmp_path):
    assert main(["export", "churn_dataset@latest", "--format", "csv", "--to", "out/churn", "--dvc"]) == 0
    said = capsys.readouterr().out
    assert "out/churn.dvc: add it to git, and churn to .gitignore" in said
    assert ".dvc/cache" not in said
    (tmp_path / ".dvc").mkdir()
    assert main(["export", "churn_dataset@latest", "--format", "csv", "--to", "out/churn", "--dvc"]) == 0
    files = len(list(Path("out/churn").iterdir()))
    assert f"{tmp_path / '.dvc' / 'cache'}: " in capsys.readouterr().out
    assert len([one for one in Path(".dvc/cache").rglob("*") if one.is_file()]) <= files + 1
