import json
import math
import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from platform_ml.engine.outbox import MESSAGE, SENT, WRITING, Outbox
from platform_ml.engine.tracked import Recorded, TrackedDataset
from platform_ml.spec.errors import StoreError, UnreachableError
from platform_ml.testing.tracking import RUN


@dataclass
class Memory:
    """A tracker that keeps what it is told, unless it is told to be down or to refuse something."""

    told: list = field(default_factory=list)
    files: list = field(default_factory=list)
    down: bool = False
    refused: tuple = ()

    def record(self, run):
        if self.down:
            raise UnreachableError("Nobody answers.")
        if run.name in self.refused:
            raise StoreError("Not this one.")
        self.told.append(run)
        self.files.append({path: file.read_bytes() for path, file in run.artifacts.items()})
        return Recorded(run_id=f"id of {run.key}")

    def find(self, experiment, key):
        if self.down:
            raise UnreachableError("Nobody answers.")
        return next((f"id of {run.key}" for run in self.told if run.key == key), None)


@pytest.fixture
def tracker():
    return Memory()


@pytest.fixture
def outbox(tracker, tmp_path):
    return Outbox(tracker, tmp_path / "outbox")


def test_what_is_sent_is_what_was_told(outbox, tracker, tmp_path):
    (tmp_path / "model.ubj").write_bytes(b"trees")
    dataset = TrackedDataset(name="d", digest="x", source="s", context="training", columns={"a": "DOUBLE"}, rows=3)
    run = replace(
        RUN,
        key="model-abc",
        artifacts={"model/model.ubj": tmp_path / "model.ubj"},
        metrics={"good": 1.5, "bad": math.nan, "worse": -math.inf},
        datasets=[dataset],
        part="training",
        started=12_345_678_901,
        seconds=1.25,
    )
    assert outbox.record(run) == Recorded(run_id="id of model-abc")
    (told,) = tracker.told
    assert repr(told.metrics) == repr(run.metrics)
    assert told.params == {"max_depth": "3", "learning_rate": "0.1"}
    plain = {"artifacts": {}, "metrics": {}, "params": {}, "children": ()}
    assert replace(told, **plain) == replace(run, **plain)
    plain["datasets"] = ()
    assert [replace(one, **plain) for one in told.children] == [replace(one, **plain) for one in run.children]
    assert tracker.files == [{"model/model.ubj": b"trees"}]
    assert outbox.waiting() == []


def test_a_run_waits_with_its_files_until_somebody_answers(outbox, tracker, tmp_path):
    tracker.down = True
    (tmp_path / "model.ubj").write_bytes(b"trees")
    kept = outbox.record(replace(RUN, key="k", artifacts={"model.ubj": tmp_path / "model.ubj"}))
    assert kept == Recorded(run_id="", waits="Nobody answers.")
    (tmp_path / "model.ubj").unlink()
    with pytest.raises(UnreachableError):
        outbox.find(RUN.experiment, "k")
    tracker.down = False
    assert outbox.find(RUN.experiment, "k") == "id of k"
    assert tracker.files == [{"model.ubj": b"trees"}]


def test_what_waited_goes_first_in_its_order(outbox, tracker):
    tracker.down = True
    for number in range(3):
        outbox.record(replace(RUN, name=f"run {number}"))
    tracker.down = False
    assert outbox.record(replace(RUN, name="run 3")).run_id
    assert [run.name for run in tracker.told] == ["run 0", "run 1", "run 2", "run 3"]


def test_a_run_without_a_key_gets_one_so_that_it_is_not_doubled(outbox, tracker):
    outbox.record(RUN)
    outbox.record(RUN)
    keys = [run.key for run in tracker.told]
    assert all(keys)
    assert keys[0] != keys[1]


def test_what_is_refused_stays_and_holds_nobody_up(outbox, tracker):
    tracker.refused = ("bad",)
    assert outbox.record(replace(RUN, name="bad")).waits == "Not this one."
    assert outbox.record(replace(RUN, name="good")).run_id
    assert [run.name for run in tracker.told] == ["good"]
    tracker.refused = ()
    done = outbox.send()
    assert (len(done.sent), done.kept) == (1, {})


def test_a_message_that_cannot_be_read_is_named_and_kept(outbox, tracker):
    tracker.down = True
    outbox.record(RUN)
    (name,) = outbox.waiting()
    (outbox.folder / name / MESSAGE).write_text("{")
    tracker.down = False
    done = outbox.send()
    assert done.sent == {}
    assert "cannot be read" in done.kept[name]
    assert outbox.waiting() == [name]


def test_what_killed_processes_left_is_removed(outbox, tracker, tmp_path):
    tracker.down = True
    outbox.record(RUN)
    half, old, sent = (outbox.folder / name for name in (f"{WRITING}a", f"{WRITING}b", f"{SENT}c"))
    for folder in (half, old, sent):
        folder.mkdir()
    os.utime(old, (0, 0))
    tracker.down = False
    assert len(outbox.send().sent) == 1
    assert half.exists()
    assert not old.exists()
    assert not sent.exists()


def test_a_half_written_message_is_no_message(outbox, tracker, monkeypatch):
    monkeypatch.setattr(json, "dumps", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        outbox.record(RUN)
    assert list(outbox.folder.iterdir()) == []


def test_a_run_that_can_be_neither_sent_nor_kept_is_an_error(tracker, tmp_path):
    (tmp_path / "outbox").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written down"):
        Outbox(tracker, tmp_path / "outbox").record(RUN)


def test_a_message_that_somebody_else_has_sent_is_found(outbox, tracker, monkeypatch):
    kept = Outbox._keep

    def keep_and_lose(self, run):
        name = kept(self, run)
        tracker.record(run)
        shutil.rmtree(self.folder / name)
        return name

    monkeypatch.setattr(Outbox, "_keep", keep_and_lose)
    assert outbox.record(replace(RUN, key="k")) == Recorded(run_id="id of k")


def test_nothing_is_written_where_nothing_waits(tracker, tmp_path):
    outbox = Outbox(tracker, tmp_path / "outbox")
    assert outbox.send().sent == {}
    assert outbox.find("e", "k") is None
    assert not Path(tmp_path / "outbox").exists()


@pytest.mark.parametrize("path", ["../outside", "model/../../outside", "/etc/passwd"])
def test_no_file_leaves_its_run(path, tmp_path):
    with pytest.raises(StoreError, match="no path inside"):
        replace(RUN, artifacts={path: tmp_path})
