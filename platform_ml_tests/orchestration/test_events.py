"""A project that predicts single events, through Dagster: from files to a registered model."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from platform_ml.engine import card_artifact
from platform_ml.engine.staleness import stale
from platform_ml.engine.training_dataset import load, split_rows
from platform_ml.orchestration.build import definitions
from platform_ml.spec.evaluation import Evaluation
from platform_ml.spec.model_card import ModelCard
from platform_ml.spec.registration import Registration
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.tuned_model import TunedModel
from platform_ml_tests.engine import rides as events
from platform_ml_tests.engine.rides import at, late, late_view, ride, rides
from platform_ml_tests.orchestration.shop import Checkout, failures, key, span

arrivals, recent = late_view.groups
view = replace(
    late_view, features=(arrivals.select("last_km", "rode"), recent), helpers=(arrivals.select("came_from"),)
)
project = events.project_of(view)
DAYS = rides.cadence.keys()
CUTOFF = span(rides)[1]
dataset, model, evaluation, card, registration = (
    project.all(noun)[0] for noun in (TrainingDataset, TunedModel, Evaluation, ModelCard, Registration)
)


def invented():
    """Long rides tend to be late; half of all leave at two o'clock, which is predicted at midnight."""
    draw, found = np.random.default_rng(5), []
    for day in range(1, 11):
        for number in range(40):
            kilometres = int(draw.integers(1, 60))
            slow = draw.random() < (0.9 if kilometres > 30 else 0.1)
            leaves = at(day, 2) if number % 2 else at(day, int(draw.integers(24)), seconds=number)
            minutes = int(draw.integers(61, 200) if slow else draw.integers(10, 60))
            more = {"driver": number % 5, "kilometres": kilometres, "origin": "ns"[number % 3 % 2]}
            arrives = leaves + timedelta(minutes=minutes, seconds=number)
            found.append(ride(1_000 * day + number, leaves, arrives, str(number % 7), **more))
    return found


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    checkout = Checkout.make(tmp_path_factory.mktemp("events"))
    events.deliver(checkout.work, *invented())
    chain = [dataset, model, evaluation, card, registration]
    runs = [
        checkout.materialize([rides, arrivals, recent, late, view], project=project, span=span(rides)),
        checkout.materialize(chain, project=project, partition=CUTOFF),
    ]
    assert all(run.success for run in runs), [failures(run) for run in runs]
    yield checkout
    checkout.instance.dispose()


def test_the_dataset_has_the_events_in_order(registered):
    artifact = load(dataset, CUTOFF, work=registered.work)
    rows = split_rows(dataset, artifact, "test")
    times = rows.event_time.to_pylist()
    assert len(rows.label) == 38
    assert times == sorted(times)
    assert at(10) <= times[0]
    assert times[-1] < at(11)
    assert rows.features.column_names == view.feature_names
    assert rows.helpers.column_names == ["driver", "origin", "destination", "told_at", "came_from"]
    assert rows.features["kilometres"].null_count == 0
    assert len(np.unique(rows.entity)) > 1
    assert artifact.record["join"]["groups"].keys() == {"arrivals", "recent"}


def test_the_card_says_what_the_events_say(registered):
    work = registered.work
    folder = card_artifact.load(card, CUTOFF, work=work).folder
    said = json.loads((folder / "card.json").read_text())
    assert said["approved"]
    assert said["label"]["moments"] == "2 hours before leaves_at of each event."
    assert said["label"]["population"] == "Every event of rides whose slow is known afterwards."
    features = {feature["name"]: feature for feature in said["features"]}
    assert next(iter(features)) == "kilometres"
    assert features["kilometres"]["group"] == "late"
    assert features["count_6h"]["mean_abs_shap"] is not None
    assert {part["value"] for part in said["evaluation"]["slices"]} == {"n", "s"}
    assert "One row per ride_id" in said["usage"]


def test_the_model_is_registered(registered):
    promoted = registered.work.platform.registry.promoted(registration.name, registration.alias)
    assert promoted["cutoff"] == CUTOFF


def stale_in_dagster(checkout):
    """Asset → the partitions that the web page calls stale."""
    graph = definitions([project], checkout.platform).resolve_asset_graph()
    found = CachingStaleStatusResolver(checkout.instance, graph, LoadingContextForTest(checkout.instance))
    status = {
        noun.name: [day for day in DAYS if found.get_status(key(noun), day) == StaleStatus.STALE]
        for noun in (rides, arrivals, recent, late, view, dataset)
    }
    return {name: days for name, days in status.items() if days}


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning", "ignore::dagster.PreviewWarning")
def test_a_day_that_comes_again_is_seen_in_dagster_wherever_it_reaches(registered, tmp_path):
    """Dagster follows the mappings, partition by partition, and agrees with what the commits say."""
    checkout = Checkout(shutil.copytree(registered.folder, tmp_path / "checkout"))
    assert stale_in_dagster(checkout) == {}
    assert stale(project, checkout.work) == {}
    day = "2024-03-04"
    events.deliver(checkout.work, *invented()[: 40 * 4 - 1], days=[day])
    assert checkout.materialize([rides], project=project, partition=day).success
    assert stale_in_dagster(checkout) == {"arrivals": [day], "recent": [day], "late": [day]}
    for nouns in ([arrivals, recent], [late]):
        assert checkout.materialize(nouns, project=project, partition=day).success
    # Rides of the fourth may end on the fifth, and windows of two days begin two hours ahead.
    reached = [f"2024-03-0{number}" for number in (4, 5, 6, 7, 8)]
    assert stale_in_dagster(checkout) == {"late_view": reached}
    assert list(stale(project, checkout.work)["late_view"]) == reached
    for one in reached:
        assert checkout.materialize([view], project=project, partition=one).success
    assert stale_in_dagster(checkout) == {"late_dataset": [CUTOFF]}
    assert stale(project, checkout.work) == {}
    checkout.instance.dispose()
