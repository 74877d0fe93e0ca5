from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.adapters.folders import Folders
from platform_ml.adapters.journals import SqliteJournals
from platform_ml.engine.platform import Platform, Work
from platform_ml.engine.tracked import Recorded
from platform_ml.engine.tuned_model import materialize_tuned_model
from platform_ml.engine.tuning import KIND
from platform_ml.families import XGBoost
from platform_ml.spec.space import Between, Whole
from platform_ml.testing.declarations import lapse_model
from platform_ml.testing.families import invented
from platform_ml.tuners import TPE, Size

FAMILY = XGBoost(
    max_depth=Whole(2, 4), learning_rate=Between(0.1, 0.3), min_child_weight=1.0, subsample=1.0, colsample_bytree=1.0,
    reg_lambda=1.0, reg_alpha=0.1, max_rounds=6, early_stopping_rounds=3,
)  # fmt: skip
MODEL = replace(lapse_model, family=FAMILY, tuner=TPE(trials=4, warm_start=True, objectives=(Size(),)))
EARLIER, CUTOFF = "2024-06-03", "2024-06-10"


@dataclass
class Heard:
    """A tracker that remembers what it is told."""

    runs: list = field(default_factory=list)

    def record(self, run):
        self.runs.append(run)
        return Recorded(run_id="r")


@dataclass
class Patience:
    """Hears of progress, and is interrupted after some trials."""

    trials: int

    def __call__(self, text):
        if "trial" in text:
            self.trials -= 1
        if not self.trials:
            raise KeyboardInterrupt


def work_in(folder, say=lambda _: None):
    platform = Platform(
        landing=folder, tables=None, compute=None, artifacts=Folders(folder / "artifacts"), tracker=Heard(),
        registry=None, journals=SqliteJournals(folder),
    )  # fmt: skip
    return Work(project="shop", platform=platform, say=say)


def dataset(work):
    """Published rows."""

    def fill(folder):
        for number, name in enumerate(("train", "validation")):
            split = invented(number + 1)
            rows = split.features.select(["amount", "recency"]).rename_columns(MODEL.dataset.view.feature_names)
            rows = rows.append_column(MODEL.dataset.view.label.name, pa.array(split.label))
            rows = rows.append_column("customer_id", pa.array(split.entity))
            rows = rows.append_column("event_time", split.event_time)
            for helper in MODEL.dataset.view.helper_names:
                rows = rows.append_column(helper, pa.nulls(len(rows), pa.string()))
            pq.write_table(rows, folder / f"{name}.parquet")

    return work.platform.artifacts.publish("datasets/shop/lapse_dataset/x", "d" * 64, {}, fill)


def trained(work, cutoff):
    return materialize_tuned_model(MODEL, cutoff, dataset(work), work=work, made_by={})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The models of two cutoffs, and what the tracker was told of the second."""
    work = work_in(tmp_path_factory.mktemp("undisturbed"))
    return trained(work, EARLIER), trained(work, CUTOFF), work.platform.tracker.runs[1]


def test_an_interrupted_training_is_the_same_model_in_the_end(undisturbed, tmp_path):
    for trials in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            trained(work_in(tmp_path, say=Patience(trials)), EARLIER)
        assert work_in(tmp_path).platform.artifacts.versions("models") == []
    assert trained(work_in(tmp_path), EARLIER).digest == undisturbed[0].digest
    assert not any((tmp_path / KIND).rglob("*.sqlite"))


def test_the_next_cutoff_begins_where_the_last_one_ended(undisturbed):
    first, second, _ = undisturbed
    assert first.record["search"]["warm_start"] is None
    warm = second.record["search"]["warm_start"]
    assert (warm["digest"], warm["cutoff"], warm["family"]) == (first.digest, EARLIER, "xgboost")
    assert warm["params"] == first.record["params"]


def test_the_record_says_how_the_search_went(undisturbed):
    search = undisturbed[0].record["search"]
    assert search["states"] == {"finished": 4, "stopped": 0, "failed": 0}
    assert search["ended"] == "all 4 trials"
    assert search["best_trial"] in search["front"]
    assert search["caveat"] == ""


def test_the_tracker_is_told_of_every_trial(undisturbed):
    first, _, run = undisturbed
    assert run.tags["warm_start"] == first.digest
    assert run.tags["search_ended"] == "all 4 trials"
    children = [child for child in run.children if child.tags["kind"] == "trial"]
    assert [child.tags["origin"] for child in children] == ["warm start", "drawn", "drawn", "drawn"]
    assert {child.tags["outcome"] for child in children} == {"finished"}
    assert all(child.metrics["size_bytes"] > 0 for child in children)
