import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from platform_ml.engine.comparison import differences, ranked, runs_frame, versions_frame
from platform_ml.engine.tracked import RecordedRun, RegisteredVersion
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.stage import Stage

NOON = datetime(2024, 6, 10, 12, tzinfo=UTC)
BEST = RecordedRun(
    run_id="b" * 32,
    name="sweep-xgboost",
    started=NOON,
    seconds=12.5,
    finished=True,
    params={"max_depth": "3"},
    metrics={"test_roc_auc": 0.8, "test_log_loss": 0.4, "validation_roc_auc": 0.9},
    tags={"kind": "search", "model": "lapse", "goal.roc_auc": "maximize", "goal.log_loss": "minimize"},
)
POOR = replace(
    BEST,
    run_id="p" * 32,
    started=NOON - timedelta(hours=1),
    params={"max_depth": "5"},
    metrics={"test_roc_auc": 0.7, "test_log_loss": 0.5},
)
BROKEN = replace(BEST, run_id="x" * 32, metrics={"test_roc_auc": math.nan, "test_log_loss": math.inf})
OPEN = replace(BEST, run_id="o" * 32, finished=False, metrics={"test_roc_auc": 1.0})
OTHER = replace(BEST, run_id="n" * 32, name="baseline-recency", metrics={}, tags={"kind": "baseline"})


class Remembered:
    """A tracker that holds these runs."""

    def __init__(self, *runs):
        self.known = runs

    def runs(self, experiment, kinds):
        return [run for run in self.known if run.tags["kind"] in kinds]


def frame(*runs, **options):
    return runs_frame(Remembered(*runs), "shop", **options)


def test_a_row_says_what_a_run_is():
    row = frame(BEST, POOR).iloc[0]
    assert (row["name"], row["kind"], row["model"], row["seconds"]) == ("sweep-xgboost", "search", "lapse", 12.5)
    assert (row["metrics.test_roc_auc"], row["params.max_depth"]) == (0.8, "3")


def test_runs_under_way_and_trials_are_left_out():
    trial = replace(BEST, tags={"kind": "trial"})
    assert list(frame(BEST, OPEN, trial)["run_id"]) == [BEST.run_id]
    assert len(frame(BEST, trial, trials=True)) == 2


@pytest.mark.parametrize("metric", ["test_roc_auc", "roc_auc", "test_log_loss", "log_loss"])
def test_the_best_comes_first_and_what_is_no_number_never(metric):
    assert list(ranked(frame(BROKEN, POOR, BEST, OTHER), metric)["run_id"]) == [BEST.run_id, POOR.run_id]


def test_equal_runs_keep_the_order_of_time():
    later = replace(BEST, run_id="l" * 32, started=NOON + timedelta(hours=1))
    assert ranked(frame(later, BEST), "roc_auc").iloc[0]["run_id"] == BEST.run_id


def test_a_goal_may_be_given():
    assert ranked(frame(BEST, POOR), "roc_auc", "minimize").iloc[0]["run_id"] == POOR.run_id


def test_an_unknown_metric_is_named_with_its_near_miss():
    with pytest.raises(PlatformError, match=r"no metric|No run has a metric 'test_roc_acu'.*'test_roc_auc'"):
        ranked(frame(BEST), "test_roc_acu")


def test_without_a_direction_there_is_no_best():
    silent = replace(BEST, tags={"kind": "search"})
    with pytest.raises(PlatformError, match="Give a goal: maximize or minimize"):
        ranked(frame(silent), "roc_auc")


def test_without_a_number_there_is_no_best():
    with pytest.raises(PlatformError, match="No run has a number"):
        ranked(frame(BROKEN), "roc_auc")


def test_no_runs_are_an_empty_table():
    assert frame().empty
    with pytest.raises(PlatformError, match="Known: none"):
        ranked(frame(), "roc_auc")


def test_only_what_differs_is_shown():
    table = differences(frame(BEST, POOR))
    assert set(table.index) == {
        *("started", "metrics.test_roc_auc", "metrics.test_log_loss", "metrics.validation_roc_auc", "params.max_depth")
    }
    assert table.loc["params.max_depth"].to_dict() == {BEST.run_id: "3", POOR.run_id: "5"}


VERSION = RegisteredVersion(
    name="lapse",
    version=2,
    aliases=["champion"],
    stage=Stage.CHAMPION,
    status="ready",
    registered=NOON,
    run_id=BEST.run_id,
    tags={"project": "shop", "cutoff": "2024-06-10", "dataset_digest": "d" * 64, "test.roc_auc": "0.8 [0.7, 0.9]"},
)


def test_a_version_is_one_row():
    (row,) = versions_frame([VERSION]).to_dict("records")
    assert (row["model"], row["stage"], row["status"]) == ("lapse@2", "champion", "ready")
    assert (row["dataset"], row["metric"], row["score"]) == ("d" * 12, "roc_auc", "0.8 [0.7, 0.9]")
    assert row["registered"] == NOON


def test_versions_of_one_project():
    bare = replace(VERSION, name="other", tags={})
    assert list(versions_frame([VERSION, bare])["model"]) == ["lapse@2", "other@2"]
    assert list(versions_frame([VERSION, bare], ["shop"])["model"]) == ["lapse@2"]
    assert versions_frame([]).empty
