from pathlib import Path

from platform_ml.origins import Files
from platform_ml.spec.origin import Choosy, Delivered, Feed, Fetched, Listed
from platform_ml.testing.origins import visits


def test_a_feed_is_called_by_project_and_source():
    assert Feed(project="shop", source=visits, landing="x").name == "shop/visits"


def test_one_file_is_called_as_it_is_and_several_by_where_they_lie():
    manifest = tuple(Delivered(name=f"day/{n}.csv", size=1, stamp="") for n in "ab")
    one = Fetched(path=Path("landing/day/a.csv"), name="a.csv", state="s", manifest=manifest[:1])
    assert one.files == {"a.csv": Path("landing/day/a.csv")}
    assert Fetched(path=Path("rows"), name="table", state="s").files == {"table": Path("rows")}
    several = Fetched(path=Path("landing"), name="day", state="s", manifest=manifest)
    assert several.files == {"day/a.csv": Path("landing/day/a.csv"), "day/b.csv": Path("landing/day/b.csv")}


def test_files_can_be_listed_and_choose_their_sources():
    assert isinstance(Files(), Listed)
    assert isinstance(Files(), Choosy)
    assert not isinstance(visits, Listed)
