"""Batch inference through Dagster and on the command line."""

from dataclasses import replace
from datetime import date, timedelta

import dagster as dg
import pytest

from platform_ml.orchestration import scores_command
from platform_ml.orchestration.build import project_assets, project_jobs
from platform_ml.orchestration.partitions import scored_at
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.orchestration.scores_command import show_scores
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.history import History
from platform_ml.spec.scores import Scores
from platform_ml.spec.window import Daily, Weekly
from platform_ml.tuners import TPE
from platform_ml_tests.engine.searches import Notes, of_classes
from platform_ml_tests.engine.shelf import Shelf, champion, on_shelf, train
from platform_ml_tests.engine.test_skew import SMALL
from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    DAYS,
    failures,
    key,
    lapse_model,
    order_history,
    shop,
    swapped,
)

SHELF = Shelf()
MOMENTS = Weekly(first=DAYS[-7], last=DAYS[-7] + timedelta(days=7))
(lapse,) = (swapped(one, lapse_model, replace(lapse_model, family=SMALL, tuner=TPE(trials=1))) for one in shop.outputs)
scores = Scores(name="lapse_scores", description="Who may lapse.", registration=lapse, moments=MOMENTS)
project = replace(shop, outputs=(lapse, scores))


class Shelved(PlatformResource):
    """The platform with a registry in memory."""

    def platform(self):
        return replace(super().platform(), registry=SHELF, tracker=Notes())


def run(checkout, asked=project):
    """Score all moments."""
    (declared,), keys = asked.all(Scores), MOMENTS.keys()
    ends = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
    return dg.materialize(
        project_assets(asked),
        selection=[key(declared)],
        tags=dict(zip(ends, (keys[0], keys[-1]), strict=True)),
        instance=checkout.instance,
        resources={"platform": Shelved(data=str(checkout.folder / "data"), memory="500MB")},
        raise_on_error=False,
    )


@pytest.fixture
def served(built):
    """The shop with a model in use."""
    work = on_shelf(built.work, SHELF)
    champion(work, lapse, train(work, lapse.card.evaluation.model, CUTOFF), cutoff=CUTOFF)
    return built


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")
def test_moments_are_scored_by_a_run_and_shown_by_a_command(served, monkeypatch, capsys):
    done = run(served)
    assert done.success, failures(done)
    checks = {one.check_name: one for one in done.get_asset_check_evaluations() if one.partition is None}
    assert {name for name, one in checks.items() if not one.passed} <= {"score_drift"}
    assert checks["one_row_each"].description == "2 of 2 partitions passed."
    said = {
        one.partition: one.metadata
        for event in done.get_asset_materialization_events()
        for one in [event.step_materialization_data.materialization]
    }
    assert sorted(said) == MOMENTS.keys()
    last = said[MOMENTS.keys()[-1]]
    assert last["model"].value == f"lapse@{len(SHELF.versions['lapse'])}"
    assert last["trained_until"].value == CUTOFF
    assert last["tables"].value["order_history"] >= 1
    assert last["dagster/row_count"].value > 0

    monkeypatch.setattr(scores_command, "PlatformResource", lambda: Shelved(data=str(served.folder / "data")))
    assert show_scores(project, "lapse_scores", None, again=True) == 0
    told = capsys.readouterr().out
    assert told.count("scored again: every byte is the same") == 2
    assert told.count("no row of this moment is in the training view yet") == 2
    assert f"trained until {CUTOFF}" in told
    with pytest.raises(PlatformError, match=r"no scores 'lapse_score'\. Did you mean 'lapse_scores'\?"):
        show_scores(project, "lapse_score", None, again=False)
    with pytest.raises(PlatformError, match="has no partition for 1 of the needed days"):
        show_scores(project, None, "2024-01-01", again=False)

    # A feature that goes by its name still and is made otherwise stops the next run, and what was scored stays.
    wider = replace(order_history, history=History(bound="<"))
    broken = run(served, swapped(project, order_history, wider))
    assert not broken.success
    assert "features_as_trained" in failures(broken)
    assert "feature 'amount_sum_7d' and 1 more are made otherwise" in failures(broken)
    assert served.work.read(scores, MOMENTS.keys()).version == 1


def test_scores_have_a_job_of_their_own():
    jobs = {job.name: job for job in project_jobs(project)}
    assert {"shop_daily", "shop_lapse", "shop_lapse_scores"} <= jobs.keys()
    assert "Batch inference with lapse" in jobs["shop_lapse_scores"].description


def test_a_moment_of_a_day_is_there_when_the_day_begins():
    open_end = replace(scores, moments=Daily(first=date(2024, 3, 1)))
    assert scored_at(open_end).end_offset == 1
    assert scored_at(replace(scores, moments=Daily(first=date(2024, 3, 1), last=date(2024, 3, 4)))).end_offset == 0
    assert scored_at(scores).get_partition_keys() == MOMENTS.keys()
    events = Scores(name="action_scores", description="What is done.", registration=of_classes)
    assert scored_at(events).get_partition_keys() == events.cadence.keys()
