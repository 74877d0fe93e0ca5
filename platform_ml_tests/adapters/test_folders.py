import os

import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.spec.errors import StoreError


@pytest.fixture
def folders(tmp_path):
    return Folders(tmp_path)


def publish(folders, place, letter):
    return folders.publish(place, letter * 64, {"made": letter}, lambda folder: (folder / "rows").write_text(letter))


def digests(folders, place):
    return [artifact.digest[0] for artifact in folders.versions(place)]


def test_versions_of_a_place_and_below_it_oldest_first(folders):
    for number, (place, letter) in enumerate([("d/p/x/1", "c"), ("d/p/x/2", "a"), ("d/p/x/1", "b"), ("d/p/xx/1", "e")]):
        found = publish(folders, place, letter)
        os.utime(found.folder / "record.json", (number, number))
    assert sorted(digests(folders, "d/p/x")) == ["a", "b", "c"]
    assert digests(folders, "d/p/x/1") == ["c", "b"]
    assert digests(folders, "d/p/x/2") == ["a"]
    assert sorted(digests(folders, "d")) == ["a", "b", "c", "e"]
    assert folders.versions("nothing") == []


def test_what_is_newest_comes_last_also_when_it_was_made_first(folders):
    for letter in "abca":
        publish(folders, "d/p/x/1", letter)
    assert digests(folders, "d/p/x/1")[-1] == "a" == folders.newest("d/p/x/1").digest[0]


def test_an_attempt_that_is_not_over_is_no_version(folders):
    seen = []

    def fill(folder):
        (folder / "record.json").write_text("{")
        seen.append(folders.versions("d"))
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="Nothing was changed"):
        folders.publish("d", "a" * 64, {}, fill)
    assert seen == [[]]
    assert folders.versions("d") == []


def test_versions_do_not_read_files_and_damage_does(folders):
    found = publish(folders, "d", "a")
    assert found.damage() == []
    (found.folder / "rows").write_text("b")
    (listed,) = folders.versions("d")
    assert listed.damage()[0].startswith(f"{found.folder / 'rows'} was changed: its sha256 is not ")
    (found.folder / "rows").unlink()
    assert listed.damage() == [f"{found.folder / 'rows'} is missing"]
    with pytest.raises(StoreError, match="rows is missing"):
        folders.newest("d")


def test_a_record_that_cannot_be_read_is_named(folders):
    found = publish(folders, "d", "a")
    (found.folder / "record.json").write_text("{")
    with pytest.raises(StoreError, match=r"record.json cannot be read"):
        folders.versions("d")
