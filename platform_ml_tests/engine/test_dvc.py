import json

import pytest
import yaml

from platform_ml.engine.dvc import fill, listed, point
from platform_ml.engine.export import Export
from platform_ml.spec.errors import StoreError

MANIFEST = {"dataset": "shop/rows", "digest": "d" * 64, "cutoff": "2024-02-19", "format": "csv"}
BY_DVC = """
outs:
- md5: bd273174ac976103fee6e225c485ade2.dir
  size: 13
  nfiles: 3
  hash: md5
  path: rows
"""
"""What `dvc add rows` of DVC 3.67.1 wrote for the folder below."""
OBJECTS = {
    "5b/bf5a52328e7439ae6e719dfe712200",
    "35/d6d33467aae9a2e3dccb4b6b027878",
    "c1/93497a1a06b2c72230e6146ff47080",
    "bd/273174ac976103fee6e225c485ade2.dir",
}
"""What it put into its cache."""


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "rows"
    (folder / "deep").mkdir(parents=True)
    (folder / "train.csv").write_bytes(b"one\n")
    (folder / "test.csv").write_bytes(b"two\n")
    (folder / "deep" / "ä.json").write_bytes(b"three")
    return Export(folder=folder, manifest=MANIFEST)


def test_the_pointer_is_the_one_of_dvc(export):
    pointer = point(export)
    assert pointer.name == "rows.dvc"
    plain = yaml.safe_load(pointer.read_text())
    assert plain["outs"] == yaml.safe_load(BY_DVC)["outs"]
    assert plain["meta"] == {"platform_ml": MANIFEST}
    assert plain["desc"] == "shop/rows@dddddddddddd, cutoff 2024-02-19, as csv"


def test_the_cache_is_the_one_of_dvc(export, tmp_path):
    cache = tmp_path / ".dvc" / "cache"
    assert fill(export, cache) == 3
    home = cache / "files" / "md5"
    files = {file.relative_to(home).as_posix(): file for file in home.rglob("*") if file.is_file()}
    assert files.keys() == OBJECTS
    (folder,) = (file for name, file in files.items() if name.endswith(".dir"))
    assert [entry["relpath"] for entry in json.loads(folder.read_text())] == ["deep/ä.json", "test.csv", "train.csv"]
    assert fill(export, cache) == 0


def test_the_same_export_has_the_same_pointer_and_another_one_is_refused(export):
    first = point(export).read_text()
    assert point(export).read_text() == first
    (export.folder / "test.csv").write_bytes(b"2\n")
    with pytest.raises(StoreError, match=r"rows\.dvc points at something else"):
        point(export)
    assert list(export.folder.parent.glob(".writing-*")) == []


def test_an_empty_folder_has_a_name_as_well(tmp_path):
    (tmp_path / "nothing").mkdir()
    assert listed(tmp_path / "nothing").md5 == "d751713988987e9331980363e24189ce.dir"
