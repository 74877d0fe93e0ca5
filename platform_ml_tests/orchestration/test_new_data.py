"""The sensor of new data: at-least-once ticks, exactly-once effects."""

import json
import os
import shutil
from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest

from platform_ml.checks import Rule
from platform_ml.orchestration.killed import PROCESS_TAG, this_process
from platform_ml.orchestration.memory import Memory
from platform_ml.orchestration.new_data import new_data
from platform_ml.origins import SQL
from platform_ml.spec.automation import Automation
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG
from platform_ml_tests.orchestration.shop import swapped
from platform_ml_tests.orchestration.watched import AT_ONCE, Watched, day, project_of

BOTH = ("visits", "came")


@pytest.fixture
def watched(tmp_path):
    return Watched(tmp_path, project_of(12))


@pytest.fixture(scope="module")
def once_loaded(tmp_path_factory):
    watched = Watched(tmp_path_factory.mktemp("loaded"), project_of(12))
    watched.put(*range(10))
    watched.look()
    watched.perform()
    assert watched.look() == []
    return watched


@pytest.fixture
def loaded(tmp_path, once_loaded):
    """Days 0 to 9 are there, and everything is made of them."""
    return Watched(shutil.copytree(once_loaded.folder, tmp_path / "loaded"), once_loaded.project)


def test_new_files_are_loaded_and_what_can_see_them_is_made(watched):
    assert watched.look() == []
    assert watched.said.startswith("Looked at 1 source: 12 awaited. Cannot be made yet: visits: 12 partitions")
    watched.put(*range(10))
    assert watched.look() == [(BOTH, day(0), day(9))]
    (request,) = watched.asked
    assert request.tags[REASON_TAG] == "new_data"
    assert request.tags[DETAIL_TAG] == f"visits, came {day(0)}...{day(9)} (10): never materialized (20)"
    watched.perform()
    assert watched.loaded() == watched.loaded("came") == [day(n) for n in range(10)]
    assert watched.look() == []
    assert "10 up to date, 2 awaited" in watched.said


def test_a_late_file_makes_exactly_the_days_that_can_see_it(loaded):
    loaded.put(2, ids=[7, 8, 9])
    assert loaded.look() == [(("visits",), day(2), day(2))]
    assert loaded.asked[0].tags[DETAIL_TAG] == f"visits {day(2)}: its inputs changed (1)"
    loaded.perform()
    assert loaded.look() == [(("came",), day(2), day(8))]
    loaded.perform()
    assert loaded.look() == []


def test_a_thousand_files_at_once_are_a_few_runs(tmp_path):
    watched = Watched(tmp_path, project_of(1000, replace(AT_ONCE, max_runs_per_tick=2)))
    watched.put(*range(1000))
    assert watched.look() == [(("visits",), day(0), day(399)), (("visits",), day(400), day(799))]
    assert len(watched.cursor) < 1000
    watched.start()
    # The rest, at the next look; nothing again.
    assert watched.look() == [(("visits",), day(800), day(999))]
    watched.start()
    assert watched.look() == []
    assert "is making 400 partitions" in watched.said


def test_a_burst_is_waited_for_but_not_for_ever(tmp_path):
    patient = replace(AT_ONCE, settle=timedelta(minutes=1))
    watched = Watched(tmp_path, project_of(40, patient))
    watched.put(0)
    assert watched.look() == []
    # The run would make two partitions, the day and its group; one of them was delivered.
    assert "1 delivery waits until nothing new has come for 60 s" in watched.said
    watched.put(1, 2)
    assert watched.look(minutes=0.9) == []
    assert watched.look(minutes=0.9) == []
    assert watched.look(minutes=0.2) == [(BOTH, day(0), day(2))]
    watched.perform()
    assert watched.look() == []
    for number in range(3, 16):  # it never ends
        watched.put(number)
        assert bool(watched.look(minutes=0.9)) == (number == 15), number


def test_nothing_is_asked_for_that_is_under_way(loaded):
    loaded.put(2, 5, ids=[7])
    loaded.look()
    first = loaded.start(loaded.asked[0])
    assert loaded.look() == [(("visits",), day(5), day(5))]
    loaded.put(10)
    assert [one for one in loaded.look() if one[0] != ("came",)] == [
        (("visits",), day(5), day(5)),
        (("visits",), day(10), day(10)),
    ]
    assert all(one[1] > day(5) for one in loaded.look() if "came" in one[0])
    assert first[0].run_id


def test_ticks_at_the_same_time_ask_with_the_same_keys(loaded):
    loaded.put(3, 10, ids=[5])
    cursor = loaded.cursor
    one = loaded.tick(cursor)
    other = loaded.tick(cursor)
    assert [request.run_key for request in one] == [request.run_key for request in other]
    assert len({request.run_key for request in one}) == len(one) == 2


def test_a_tick_that_was_killed_before_its_cursor_was_kept_asks_for_nothing_twice(loaded):
    loaded.put(3, ids=[5])
    cursor = loaded.cursor
    (request,) = loaded.tick(cursor)
    loaded.start(request)
    assert loaded.tick(cursor) == []


def test_a_run_that_was_made_and_never_started_is_asked_for_with_the_same_key(loaded):
    loaded.put(3, ids=[5])
    cursor = loaded.cursor
    (request,) = loaded.tick(cursor)
    loaded.record(request, dg.DagsterRunStatus.NOT_STARTED)
    assert [one.run_key for one in loaded.tick(cursor)] == [request.run_key]


@pytest.mark.parametrize("cursor", [None, "", "{", "[]", "17", '{"version":0}', '{"version":1}', '{"version":1,"a":2}'])
def test_a_cursor_that_is_lost_or_garbled_costs_nothing(loaded, cursor):
    assert loaded.look(cursor=cursor) == []
    loaded.put(3, ids=[5])
    assert loaded.look(cursor=cursor) == [(("visits",), day(3), day(3))]
    loaded.start()
    assert loaded.look(cursor=cursor) == []


def test_the_cursor_says_what_was_asked_for_when_and_why(once_loaded):
    kept = json.loads(once_loaded.cursor)
    (asked,) = kept["asked"]
    assert (asked["nouns"], asked["first"], asked["last"], asked["at"]) == (
        list(BOTH),
        day(0),
        day(9),
        "2026-01-01T12:00:00+00:00",
    )
    assert asked["why"].endswith("never materialized (20)")
    assert asked["ended"].endswith("succeeded")
    assert Memory.load(once_loaded.cursor, once_loaded.now).dump() == once_loaded.cursor


def test_a_failed_run_is_tried_again_after_a_pause_and_not_for_ever(loaded):
    loaded.put(3, ids=[5])
    keys = []
    for pause in (0, 10, 20):
        assert loaded.look(minutes=pause) == [(("visits",), day(3), day(3))], pause
        keys += [one.run_key for one in loaded.asked]
        loaded.fail()
        assert loaded.look() == []
        if pause < 20:
            assert loaded.look(minutes=pause * 1.0) == [] or pause == 10
            loaded.now -= timedelta(minutes=pause)
    assert len(set(keys)) == 3
    assert "Given up until its delivery, declaration or code changes: visits 2021-01-04 (run " in loaded.said
    assert "3x: it was killed)" in loaded.said
    assert loaded.look(minutes=10_000) == []
    loaded.put(3, ids=[5, 6])
    assert loaded.look() == [(("visits",), day(3), day(3))]


def test_a_range_that_failed_without_a_word_is_cut(loaded):
    loaded.put(*range(9), ids=[5])
    assert loaded.look() == [(("visits",), day(0), day(8))]
    loaded.fail()
    assert loaded.look() == []
    assert "Tried again later" in loaded.said
    pieces = [(("visits",), day(n), day(min(n + 1, 8))) for n in range(0, 9, 2)]
    assert loaded.look(minutes=11) == pieces
    loaded.perform(*loaded.asked[1:])
    loaded.fail(loaded.asked[0])
    loaded.look()
    assert [one for one in loaded.look(minutes=11) if "visits" in one[0]] == [
        (("visits",), day(0), day(0)),
        (("visits",), day(1), day(1)),
    ]


def test_a_clock_that_was_moved_back_stops_nothing(loaded):
    loaded.put(3, ids=[5])
    loaded.look(minutes=600)
    loaded.fail()
    assert loaded.look() == []
    assert loaded.look(minutes=-600) == []
    assert loaded.look(minutes=9) == []
    assert loaded.look(minutes=2) == [(("visits",), day(3), day(3))]


def test_a_bad_file_is_refused_and_the_good_ones_land(watched):
    """Real runs: the range with the bad file commits nothing, and is asked for again without it."""
    watched.put(0, 1, 3)
    watched.put(2, ids=())
    assert watched.look() == [(BOTH, day(0), day(3))]
    assert not watched.execute(watched.asked[0]).success
    assert watched.loaded() == []
    found = watched.look()
    assert found == [(("visits",), day(0), day(1)), (("visits",), day(3), day(3))]
    assert [watched.execute(one).success for one in watched.asked] == [True, True]
    assert watched.loaded() == [day(0), day(1), day(3)]
    assert watched.look() == [(("came",), day(0), day(1))]
    watched.perform()
    assert watched.look() == []
    assert f"Refused: visits {day(2)}: column " in watched.said
    assert f"came: 10 partitions, {day(2)} first" in watched.said
    watched.put(2)
    assert watched.look() == [(("visits",), day(2), day(2))]


def test_a_failed_check_stops_its_own_day_only(watched):
    """A real run whose rows are refused by a check that names the day."""
    source = replace(watched.source, checks=(Rule("no_thirteen", "id <> 13", blocking=True),))
    checked = Watched(watched.folder, swapped(watched.project, watched.source, source))
    checked.put(0, 2)
    checked.put(1, ids=[12, 13])
    checked.look()
    assert not checked.execute(checked.asked[0]).success
    assert checked.loaded() == []
    found = checked.look()
    assert [one[1:] for one in found if "visits" in one[0]] == [(day(0), day(0)), (day(2), day(2))]
    checked.perform()
    assert checked.look() == [(("came",), day(0), day(0))]
    checked.perform()
    assert checked.look() == []
    assert f"Tried again later: visits {day(1)}" in checked.said


def test_a_place_that_is_away_is_said_and_asked_again(tmp_path, monkeypatch):
    monkeypatch.delenv("NOWHERE_URL", raising=False)
    project = project_of(3)
    (source,) = [noun for noun in project.nouns if noun.name == "visits"]
    away = Watched(
        tmp_path, swapped(project, source, replace(source, format=None, origin=SQL(url="env:NOWHERE_URL", table="v")))
    )
    assert away.look() == []
    assert "Not reached, and asked again: visits: " in away.said
    assert "NOWHERE_URL" in away.said
    monkeypatch.setenv("NOWHERE_URL", f"sqlite:///{tmp_path}/nothing.db")
    assert away.look() == []


def test_a_sensor_that_raises_says_what_and_stops_no_other(loaded, tmp_path):
    broken = Watched(tmp_path / "broken", replace(loaded.project, name="broken"))
    place = tmp_path / "broken" / "tables" / "broken" / "visits" / "_delta_log"
    place.mkdir(parents=True)
    (place / "00000000000000000000.json").write_text("garbled")
    with pytest.raises(Exception, match=r"broken/visits: version 0 in .* cannot be opened"):
        broken.tick()
    loaded.put(3, ids=[5])
    assert loaded.look() == [(("visits",), day(3), day(3))]


def test_a_run_of_a_killed_command_line_is_ended_and_not_waited_for(loaded):
    loaded.put(3, ids=[5])
    loaded.look()
    host, process, _ = this_process().split(":")
    ours = loaded.asked[0].with_replaced_attrs(tags={**loaded.asked[0].tags, PROCESS_TAG: this_process()})
    loaded.start(ours)
    assert loaded.look() == []
    gone = ours.with_replaced_attrs(tags={**ours.tags, PROCESS_TAG: f"{host}:{process}:1.00"}, run_key="gone")
    for run in loaded.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        loaded.instance.delete_run(run.run_id)
    (run,) = loaded.start(gone)
    loaded.look()
    assert loaded.instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE


def test_sensors_are_stopped_unless_the_project_says_otherwise(watched):
    stopped = new_data(watched.project, watched.platform)
    assert stopped.default_status == dg.DefaultSensorStatus.STOPPED
    running = new_data(replace(watched.project, automation=Automation(running=True)), watched.platform)
    assert running.default_status == dg.DefaultSensorStatus.RUNNING
    assert (running.name, running.owners, running.minimum_interval_seconds) == ("shop_new_data", ["team:shop"], 30)
    assert running.description
    assert os.sep not in running.name
