import pytest

from platform_ml.adapters.journals import SqliteJournals
from platform_ml.spec.errors import StoreError


@pytest.fixture
def journals(tmp_path):
    return SqliteJournals(tmp_path)


def test_what_was_appended_is_read_in_order(journals):
    entries = [{"number": number, "score": number / 3, "name": "é"} for number in range(3)]
    for entry in entries:
        journals.open("studies/shop/model/x/one").append(entry)
    assert journals.open("studies/shop/model/x/one").read() == entries
    assert journals.open("studies/shop/model/x/two").read() == []


def test_reading_makes_nothing(journals, tmp_path):
    assert journals.open("studies/shop").read() == []
    assert list(tmp_path.iterdir()) == []


def test_all_of_a_place_are_dropped(journals):
    for place in ("m/x/one", "m/x/two", "m/y/one", "m/xy/one", "m/x"):
        journals.open(place).append({"place": place})
    journals.drop("m/x")
    journals.drop("m/x")
    left = [place for place in ("m/x/one", "m/x/two", "m/y/one", "m/xy/one", "m/x") if journals.open(place).read()]
    assert left == ["m/y/one", "m/xy/one"]


def test_an_entry_that_is_no_json_is_not_written(journals):
    with pytest.raises(ValueError, match="not JSON compliant"):
        journals.open("m").append({"score": float("nan")})
    assert journals.open("m").read() == []


def test_a_broken_file_says_what_to_do(journals):
    journal = journals.open("m")
    journal.append({"a": 1})
    journal.file.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match=r"m\.sqlite cannot be read .* Remove it"):
        journal.read()


def test_a_place_that_cannot_be_written_says_what_to_do(journals, tmp_path):
    (tmp_path / "m").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match=r"cannot be written .* free space or mend"):
        journals.open("m/x").append({"a": 1})
