import json
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.adapters.journals import SqliteJournals
from platform_ml.engine.fitting import Fitting
from platform_ml.engine.platform import Platform, Work
from platform_ml.engine.search import search, search_account
from platform_ml.engine.tuning import KIND, Tuning
from platform_ml.families import XGBoost
from platform_ml.spec.errors import PlatformError, RowsError
from platform_ml.spec.space import Between, Whole
from platform_ml.spec.task import BINARY
from platform_ml.spec.tuner import Latency, Size, WarmStart
from platform_ml.testing.declarations import lapse_model
from platform_ml.testing.families import invented
from platform_ml.testing.tuners import plain
from platform_ml.tuners import TPE

FAMILY = XGBoost(max_depth=Whole(2, 4), learning_rate=Between(0.1, 0.3), max_rounds=8, early_stopping_rounds=5)
MODEL = replace(lapse_model, family=FAMILY, tuner=TPE(trials=4))
USUAL = {
    "max_depth": 3,
    "learning_rate": 0.25,
    "min_child_weight": 2.0,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "reg_lambda": 1.0,
    "reg_alpha": 0.1,
}
WHERE = r"shop/lapse_model: the search of family 'blind' on dataset 'lapse_dataset'"


@dataclass(frozen=True)
class Guess:
    """Predicts noise of a size."""

    share: float
    seen: int

    def predict(self, rows):
        draw = np.random.default_rng(int(1_000_000 * self.share))
        return draw.random(rows.num_rows) + self.seen

    def save(self, folder):
        file = folder / "guess.json"
        file.write_text(json.dumps({"share": self.share, "more": "x" * int(1_000 * self.share)}))
        return file


@dataclass(frozen=True, kw_only=True)
class Blind:
    """A family that costs nothing."""

    name: ClassVar[str] = "blind"
    tasks: ClassVar = (BINARY,)
    fits: ClassVar[list] = []
    error: ClassVar[Exception | None] = None
    after: ClassVar[int] = 0
    share: float | Between = Between(0.0, 1.0)

    def fit(self, train, validation, *, params, seed, report=None):
        type(self).fits.append(params)
        if self.error and len(self.fits) > self.after:
            raise self.error
        train.cache.setdefault("matrix", object())
        return Guess(params["share"], seen=0)


@pytest.fixture
def blind(monkeypatch):
    monkeypatch.setattr(Blind, "fits", [])
    return Blind


@pytest.fixture
def fitting():
    return Fitting.of(MODEL, {"train": invented(1), "validation": invented(2)})


@pytest.fixture
def work(tmp_path):
    platform = Platform(
        landing=tmp_path, tables=None, compute=None, artifacts=Folders(tmp_path / "artifacts"), tracker=None,
        registry=None, journals=SqliteJournals(tmp_path),
    )  # fmt: skip
    return Work(project="shop", platform=platform, say=lambda _: None)


def quiet(text):
    """Tell nobody."""


def tuned(work, cutoff="2024-03-04", model=MODEL, dataset="d" * 64, **made_by):
    artifact = type("Dataset", (), {"digest": dataset})()
    return Tuning.of(model, cutoff, artifact, work=work, made_by=made_by)


def published(work, cutoff, digest, params, family="xgboost"):
    record = {"cutoff": cutoff, "params": params, "search": {"family": family}}
    work.platform.artifacts.publish(f"models/shop/lapse_model/{cutoff}", digest * 64, record, lambda _: None)


def test_an_interrupted_search_goes_on_and_ends_clean(fitting, blind, work, monkeypatch, tmp_path):
    undisturbed = search(fitting, Blind(), progress=quiet)[1]
    assert len(blind.fits) == 5
    monkeypatch.setattr(blind, "error", KeyboardInterrupt())
    monkeypatch.setattr(blind, "after", 7)
    with pytest.raises(KeyboardInterrupt):
        search(fitting, Blind(), progress=quiet, tuning=tuned(work))
    monkeypatch.setattr(blind, "error", None)
    blind.fits.clear()
    said = []
    found = search(fitting, Blind(), progress=said.append, tuning=tuned(work))[1]
    assert [plain(trial) for trial in found.trials] == [plain(trial) for trial in undisturbed.trials]
    assert len(blind.fits) == 2 + 1
    assert [line.split(":")[1] for line in said] == [" trial 3 of 4", " trial 4 of 4"]
    assert list((tmp_path / KIND / "shop/lapse_model/2024-03-04").iterdir())
    tuned(work).done()
    assert list((tmp_path / KIND / "shop/lapse_model").iterdir()) == []


def test_everything_that_decides_a_search_names_its_journal(work):
    family = MODEL.family
    warm = WarmStart(digest="a", cutoff="2024-02-26", family="xgboost", params={})
    journals = {
        tuned(work).journal(MODEL, family),
        tuned(work).journal(MODEL, family),
        tuned(work, cutoff="2024-03-11").journal(MODEL, family),
        tuned(work, dataset="e" * 64).journal(MODEL, family),
        tuned(work, git_commit="1").journal(MODEL, family),
        tuned(work).journal(replace(MODEL, seed=1), family),
        tuned(work).journal(MODEL, replace(family, max_rounds=9)),
        replace(tuned(work), warm_start=warm).journal(MODEL, family),
    }
    assert len(journals) == 7
    assert tuned(work, run_id="another").journal(MODEL, family) in journals


def test_it_begins_with_the_model_of_the_cutoff_before(fitting, work):
    model = replace(MODEL, tuner=replace(MODEL.tuner, warm_start=True))
    params = {**USUAL, "max_rounds": 99}
    assert tuned(work, model=model).warm_start is None
    published(work, "2024-02-26", "a", {**params, "max_depth": 2})
    published(work, "2024-02-26", "b", params)
    published(work, "2024-02-19", "c", {**params, "max_depth": 4})
    published(work, "2024-03-04", "d", {**params, "max_depth": 4})
    tuning = tuned(work, model=model)
    assert (tuning.warm_start.digest, tuning.warm_start.cutoff) == ("b" * 64, "2024-02-26")
    assert tuned(work).warm_start is None
    found = search(replace(fitting, model=model), model.family, progress=quiet, tuning=tuning)[1]
    first = found.trials[0]
    assert first.origin == "warm start"
    assert (first.params["max_depth"], first.params["learning_rate"], first.params["max_rounds"]) == (3, 0.25, 8)
    assert search_account(found)["warm_start"] == {
        "digest": "b" * 64,
        "cutoff": "2024-02-26",
        "family": "xgboost",
        "params": params,
    }


@pytest.mark.parametrize("change", [{"max_depth": 9}, {"learning_rate": 0.01}])
def test_a_model_outside_of_the_ranges_of_today_is_not_begun_with(fitting, change):
    params = {**USUAL, **change}
    warm = WarmStart(digest="b" * 64, cutoff="2024-02-26", family="xgboost", params=params)
    said = []
    found = search(fitting, FAMILY, progress=said.append, tuning=Tuning(warm_start=warm))[1]
    assert found.warm_start is None
    assert {trial.origin for trial in found.trials} == {"drawn"}
    assert said[0].startswith("lapse_model: does not begin with model bbbbbbbbbbbb")


def test_latency_and_size_are_recorded_and_held_against_limits(fitting, blind):
    tuner = TPE(trials=6, objectives=(Latency(at_most=1_000), Size(at_most=600)))
    found = search(replace(fitting, model=replace(MODEL, tuner=tuner)), Blind(), progress=quiet)[1]
    assert all(trial.latency_ms > 0 and trial.size_bytes > 20 for trial in found.trials)
    assert max(trial.size_bytes for trial in found.trials) > 600 >= found.best.size_bytes
    assert found.best.number in found.front
    account = search_account(found)
    assert account["front"] == list(found.front)
    assert account["states"] == {"finished": 6, "stopped": 0, "failed": 0}
    assert "latency is measured" in account["caveat"]
    assert json.loads(json.dumps(account)) == account


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("std::bad_alloc"), RuntimeError("CUDA out of memory.")])
def test_out_of_memory_is_said_so(fitting, blind, work, monkeypatch, error):
    monkeypatch.setattr(blind, "error", error)
    with pytest.raises(RowsError, match=WHERE + ": out of memory .* Nothing was registered"):
        search(fitting, Blind(), progress=quiet, tuning=tuned(work))


def test_other_errors_come_through(fitting, blind, monkeypatch):
    monkeypatch.setattr(blind, "error", RuntimeError("odd"))
    with pytest.raises(RuntimeError, match="odd"):
        search(fitting, Blind(), progress=quiet)


def test_a_space_without_a_valid_trial_is_refused(fitting, blind, work, monkeypatch):
    monkeypatch.setattr(blind, "error", RowsError("its trees are too deep"))
    said = []
    with pytest.raises(RowsError, match=WHERE + " ended without a score: none of 4 .* its trees are too deep"):
        search(fitting, Blind(), progress=said.append, tuning=tuned(work))
    assert said[0] == "lapse_model: trial 1 of 4: failed: its trees are too deep"


def test_trials_of_other_code_are_dropped_when_they_do_not_hold(fitting, blind, work, monkeypatch):
    search(fitting, Blind(), progress=quiet, tuning=tuned(work))
    monkeypatch.setattr(Guess, "predict", lambda self, rows: np.arange(rows.num_rows) * self.share)
    with pytest.raises(PlatformError, match="cannot be repeated"):
        search(fitting, Blind(), progress=quiet, tuning=tuned(work))
    search(fitting, Blind(), progress=quiet, tuning=tuned(work))


def test_matrices_are_built_once(fitting, blind):
    search(fitting, Blind(), progress=quiet)
    (first,) = fitting.learn.cache.values()
    search(fitting, Blind(), progress=quiet)
    assert list(fitting.learn.cache.values()) == [first]


def test_a_matrix_does_not_go_to_other_processes(fitting):
    fitting.learn.cache["matrix"] = lambda: None
    assert fitting.learn.__getstate__()["cache"] == {}
    assert fitting.learn.cache


def test_processes_find_what_one_finds(fitting):
    tuner = replace(MODEL.tuner, parallel=2)
    model = replace(MODEL, tuner=tuner)
    found = search(replace(fitting, model=model), Blind(), progress=quiet)[1]
    one = search(fitting, Blind(), progress=quiet)[1]
    # So early nothing depends on scores, which trials that run together do not know of each other.
    assert [plain(trial) for trial in found.trials] == [plain(trial) for trial in one.trials]
