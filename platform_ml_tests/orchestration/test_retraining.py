"""The retraining sensor, look by look: what it asks for and why, what it waits for; nothing is trained twice."""

import json
import shutil
import warnings
from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.storage.tags import RUN_KEY_TAG
from dagster._core.utils import make_new_run_id

from platform_ml import Retraining
from platform_ml.orchestration.build import definitions
from platform_ml.orchestration.retraining import job_name
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG
from platform_ml.triggers import Degraded, Drifted, Every, NewLabels
from platform_ml.tuners import TPE
from platform_ml_tests.engine.test_skew import SMALL
from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    Checkout,
    bought_on,
    failures,
    key,
    lapse,
    lapse_model,
    lapse_view,
    lapsed,
    order_history,
    order_weeks,
    orders,
    shop,
    span,
    swapped,
)
from platform_ml_tests.orchestration.watched import sent

BEFORE = lapsed.cadence.keys()[-2]
small = replace(lapse_model, family=SMALL, tuner=TPE(trials=1))


def declared(*when, pause=timedelta(0), of=lapse):
    """The shop with a model that is trained again by itself."""
    quick = swapped(of, lapse_model, small)
    return replace(shop, outputs=(replace(quick, retraining=Retraining(when=when, pause=pause)),))


SHOP = declared(NewLabels(rows=50), Every(days=28))
JOB = job_name(SHOP, SHOP.outputs[0])


class Sensor:
    """The sensor of a project at one checkout; it forgets nothing but what its cursor does not have."""

    def __init__(self, checkout, project=SHOP):
        self.checkout, self.defs, self.cursor = checkout, definitions([project], checkout.platform), None
        self.definition = self.defs.get_repository_def().get_sensor_def(f"{project.name}_retraining")

    def look(self):
        context = dg.build_sensor_context(
            instance=self.checkout.instance, cursor=self.cursor, repository_def=self.defs.get_repository_def()
        )
        tick = sent(self.definition.evaluate_tick(context))
        self.cursor = tick.cursor
        return tick

    def said(self):
        tick = self.look()
        assert not tick.run_requests
        return tick.skip_message

    def run(self, request):
        """What the daemon and a run worker would do, in this process."""
        tags = {**request.tags, RUN_KEY_TAG: request.run_key}
        job = self.defs.resolve_job_def(request.job_name)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "datetime.datetime.utcfromtimestamp", DeprecationWarning)
            return job.execute_in_process(
                instance=self.checkout.instance, partition_key=request.partition_key, tags=tags, raise_on_error=False
            )


@pytest.fixture(scope="module")
def _trained_before(_built, tmp_path_factory):
    """The model of the last but one week, trained by hand: it is in use."""
    folder = shutil.copytree(_built, tmp_path_factory.mktemp("before"), dirs_exist_ok=True)
    checkout = Checkout(folder)
    run = Sensor(checkout).run(dg.RunRequest(run_key="by hand", job_name=JOB, partition_key=BEFORE))
    assert run.success, failures(run)
    checkout.instance.dispose()
    return folder


@pytest.fixture
def before(_trained_before, tmp_path):
    """A copy that a test may change."""
    checkout = Checkout(shutil.copytree(_trained_before, tmp_path / "checkout"))
    yield checkout
    checkout.instance.dispose()


def test_a_project_without_retraining_has_no_such_sensor(built):
    names = {sensor.name for sensor in definitions([shop], built.platform).get_repository_def().sensor_defs}
    assert names == {"alerts", "kept_runs", "shop_automation", "shop_new_data"}


def test_before_there_is_anything_it_says_what_it_waits_for(landed):
    sensor = Sensor(landed)
    assert sensor.definition.default_status is dg.DefaultSensorStatus.STOPPED
    assert sensor.said() == (
        "lapse: Not yet: new_labels: 0 of 50 labelled rows, and no model yet; every: no cutoff has all of its rows yet."
    )


def test_new_rows_start_one_run_that_says_why_and_none_after_it(before):
    sensor = Sensor(before)
    (request,) = sensor.look().run_requests
    assert (request.job_name, request.partition_key, request.tags[REASON_TAG]) == (JOB, CUTOFF, "new_data")
    said = request.tags[DETAIL_TAG]
    assert said.endswith(f"of 50 new labelled rows since cutoff {BEFORE}")
    (again,) = sensor.look().run_requests  # at least once: the daemon may have died before it started the run
    assert again.run_key == request.run_key
    run = sensor.run(request)
    assert run.success, failures(run)
    after = f"lapse: Not yet: new_labels: 0 of 50 new labelled rows since cutoff {CUTOFF}; every: 0 of 28 days"
    assert sensor.said().startswith(after)
    (model,) = before.work.platform.artifacts.versions(f"models/shop/lapse_model/{CUTOFF}")
    assert model.record["made_by"][REASON_TAG] == "new_data"
    (card,) = before.work.platform.artifacts.versions(f"cards/shop/lapse_card/{CUTOFF}")
    assert json.loads((card.folder / "card.json").read_text())["why"].endswith(f"{said}.")
    tags = {one.version: one.tags for one in before.work.platform.registry.versions()}
    assert (tags[1][REASON_TAG], tags[2][REASON_TAG], tags[2][DETAIL_TAG]) == ("manual", "new_data", said)
    (tracked,) = before.platform.mlflow().tracker().runs("shop", ["fit", "search"])[:1]
    assert (tracked.tags[REASON_TAG], tracked.tags[DETAIL_TAG]) == ("new_data", said)


def test_what_did_not_change_is_not_measured_again_also_after_a_restart(before):
    first = Sensor(before, declared(Every(days=28), Degraded(metric="roc_auc", rows=20), Drifted(limit=50.0)))
    said = first.said()
    assert "7 of 28 days" in said
    assert "of lapse@1 was" in said
    assert "drifted beyond 50 since cutoff" in said
    second = Sensor(before, declared(Every(days=28), Degraded(metric="roc_auc", rows=20), Drifted(limit=50.0)))
    second.cursor = first.cursor.replace("7 of 28 days", "(remembered)")
    assert "(remembered)" in second.said()
    second.cursor = "neither JSON nor ours"
    assert second.said() == said


def test_a_model_that_its_gates_refuse_is_not_trained_again_on_the_same_rows(before):
    strict = replace(lapse, gates=(replace(lapse.gates[0], limit=0.999999),))
    sensor = Sensor(before, declared(NewLabels(rows=50), Degraded(metric="roc_auc", by=1e-9, rows=20), of=strict))
    (request,) = sensor.look().run_requests
    run = sensor.run(request)
    assert not run.success
    assert "did not pass" in failures(run) or run.dagster_run.is_failure
    said = sensor.said()
    assert "It would be time" in said or "Not yet" in said
    assert sensor.said() == said


def test_a_run_that_failed_before_it_made_a_model_is_told_and_not_repeated(before):
    sensor = Sensor(before)
    (request,) = sensor.look().run_requests
    job = sensor.defs.resolve_job_def(JOB)
    tags = {**request.tags, RUN_KEY_TAG: request.run_key}
    failed = before.instance.create_run_for_job(job, status=dg.DagsterRunStatus.FAILURE, tags=tags)
    assert f"but run {failed.run_id[:8]} for the same rows of cutoff {CUTOFF} ended as FAILURE" in sensor.said()


def test_while_a_run_is_under_way_and_in_the_pause_after_it_nothing_is_asked_for(before):
    sensor = Sensor(before, declared(NewLabels(rows=50), pause=timedelta(hours=1)))
    assert "it begins when the pause is over, in " in sensor.said()
    busy = before.instance.create_run_for_job(sensor.defs.resolve_job_def(JOB), status=dg.DagsterRunStatus.STARTED)
    assert sensor.said() == f"lapse: Run {busy.run_id[:8]} is training it now."


def test_what_a_schedule_or_a_command_is_training_is_left_to_it(before):
    sensor = Sensor(before)
    other = dg.DagsterRun(
        job_name="__ASSET_JOB",
        run_id=make_new_run_id(),
        tags={"dagster/partition": CUTOFF},
        asset_selection={key(lapse_model)},
        status=dg.DagsterRunStatus.STARTED,
    )
    before.instance.add_run(other)
    assert f"but run {other.run_id[:8]} is training it for cutoff {CUTOFF}." in sensor.said()


def test_it_waits_until_what_the_rows_are_made_of_was_made_again(before):
    day = orders.cadence.keys()[20]
    before.deliver(day, bought_on(day)[1:])
    sensor = Sensor(before)
    assert f"but cutoff {CUTOFF} is not ready: " in sensor.said()
    assert before.materialize([orders], partition=day).success
    assert "partitions of lapse_view are stale" in sensor.said()
    for nouns, of in (([order_history], orders), ([order_weeks], order_weeks), ([lapsed, lapse_view], lapsed)):
        run = before.materialize(nouns, span=span(of))
        assert run.success, failures(run)
    (request,) = sensor.look().run_requests
    assert request.partition_key == CUTOFF


def test_one_registration_that_cannot_be_judged_does_not_stop_the_others(before, monkeypatch):
    monkeypatch.setenv("PLATFORM_ML_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert Sensor(before).said().startswith("lapse: Nobody can say now: ")
