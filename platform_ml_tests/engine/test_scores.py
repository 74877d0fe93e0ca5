"""Batch inference of a model in use: population, moments, versions, what is recorded, and what is refused."""

import json
import shutil
from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pytest

from platform_ml.adapters.folders import RECORD
from platform_ml.engine.content import file_sha256
from platform_ml.engine.maintenance import pins
from platform_ml.engine.rescoring import rescore
from platform_ml.engine.scores import record_of
from platform_ml.engine.serving import in_use, load, meaning_changes, schema_changes, unlike_training
from platform_ml.engine.upstream import upstream
from platform_ml.features import Recency, Total
from platform_ml.spec.errors import MissingInputError, StoreError
from platform_ml.spec.feature_group import Derived
from platform_ml.spec.fingerprint import meaning
from platform_ml.spec.project import Project
from platform_ml.spec.schema import Decimal
from platform_ml.spec.scores import Scores
from platform_ml.spec.window import Weekly
from platform_ml.tuners import TPE
from platform_ml_tests.engine import searches
from platform_ml_tests.engine.shelf import champion, on_shelf, score, train
from platform_ml_tests.engine.shop import (
    CUTOFF,
    LAST,
    SHOP,
    lapse_view,
    make,
    order_history,
    orders,
    rows_of,
    work_in,
    write,
)
from platform_ml_tests.engine.test_skew import SMALL
from platform_ml_tests.orchestration.shop import swapped

(registered,) = SHOP.outputs
old = registered.card.evaluation.model
lapse = swapped(registered, old, replace(old, family=SMALL, tuner=TPE(trials=1)))
model = lapse.card.evaluation.model
AFTER = "2024-04-24"
scores = Scores(
    name="lapse_scores",
    description="Who may lapse.",
    registration=lapse,
    moments=Weekly(first=date(2024, 3, 27), last=date(2024, 4, 24)),
)


@pytest.fixture(scope="module")
def trained(built, tmp_path_factory):
    """The shop with a model of last Wednesday, and one of the week before, which is in use."""
    folder = tmp_path_factory.mktemp("scored")
    shutil.copytree(built.platform.landing.parent, folder, dirs_exist_ok=True)
    work = on_shelf(work_in(folder))
    first, second = (train(work, model, key) for key in ("2024-04-03", CUTOFF))
    champion(work, lapse, first)
    return work, first, second


@pytest.fixture
def ready(trained, tmp_path):
    """A copy that a test may change."""
    work, first, second = trained
    shutil.copytree(work.platform.landing.parent, tmp_path / "shop")
    copied = on_shelf(work_in(tmp_path / "shop"))
    champion(copied, lapse, first)
    return copied, second


def version(work):
    return work.platform.tables.snapshot(work.table(scores)).version


def only(findings, name, key=AFTER):
    (found,) = (one for one in findings if one.check.name == name and one.partition == key)
    return found


def test_moments_are_scored_whose_outcome_nobody_knows(ready, bought):
    work, _ = ready
    findings, stopped = score(work, scores)
    assert stopped == []
    rows = rows_of(work, scores, [AFTER])
    assert [row["customer_id"] for row in rows] == sorted({one.customer_id for one in bought if str(one.day) < AFTER})
    assert {row["event_time"].isoformat() for row in rows} == {f"{AFTER}T00:00:00+00:00"}
    assert all(0 < row["score"] < 1 for row in rows)
    assert only(findings, "one_row_each").reason == f"{len(rows)} rows for {len(rows)}."
    assert "its outcome is not known yet" in only(findings, "no_skew").reason
    # The label of this moment cannot be made: the data ends five days later.
    with pytest.raises(MissingInputError, match="the outcome is known on"):
        make(work, replace(lapse_view.label, cadence=scores.cadence), [AFTER])


def test_each_partition_says_how_it_was_made(ready):
    work, _ = ready
    score(work, scores, [AFTER])
    record, served = record_of(scores, AFTER, work=work).record, load(lapse, work=work)
    assert record["model"]["registered_as"] == "lapse"
    assert (record["model"]["version"], record["model"]["model"]) == (1, served.digest)
    assert record["model"]["dataset"] == served.record["dataset"]
    assert record["made_by"]["git_commit"] == "c" * 40
    assert {name: one["version"] for name, one in record["tables"].items()} == {
        name: work.platform.tables.snapshot(f"shop/{name}").version
        for name in ("orders", "order_history", "order_weeks")
    }
    (row, *_) = rows_of(work, scores, [AFTER])
    assert (row["model_version"], row["model_digest"]) == (1, served.digest)
    # Housekeeping keeps what they were made of, as it does for views.
    assert {noun.name for noun, _ in upstream(scores, AFTER)} == {*record["tables"]}
    kept = pins(Project(name="shop", description="A shop.", owner="team:shop", outputs=(scores,)), work)
    assert record["tables"]["order_history"]["version"] in kept.of["shop/order_history"]


def test_the_same_inputs_are_the_same_bytes_and_no_new_version(ready):
    work, _ = ready
    score(work, scores, [AFTER])
    first = version(work)
    score(work, scores, [AFTER], token=2)
    assert version(work) == first
    alone = work.read(scores, []).partitions[AFTER].content
    score(work, scores, token=3)  # along with the others
    assert work.read(scores, []).partitions[AFTER].content == alone
    assert rescore(scores, AFTER, work=work).differences == []


def test_a_new_champion_is_a_new_version_and_the_older_stays(ready):
    work, second = ready
    score(work, scores, [AFTER])
    before, were = version(work), rows_of(work, scores, [AFTER])
    champion(work, lapse, second)
    score(work, scores, [AFTER], token=2)
    now = rows_of(work, scores, [AFTER])
    assert {row["model_version"] for row in now} == {2}
    assert [row["score"] for row in now] != [row["score"] for row in were]
    assert record_of(scores, AFTER, work=work, version=before).record["model"]["version"] == 1
    old = rescore(scores, AFTER, work=work, version=before)
    assert (old.differences, old.record["model"]["version"]) == ([], 1)
    pinned = replace(scores, version=1)
    score(work, pinned, [AFTER], token=3)
    assert [row["score"] for row in rows_of(work, pinned, [AFTER])] == [row["score"] for row in were]


def test_moments_that_training_had_are_the_same_there(ready):
    work, _ = ready
    findings, _ = score(work, scores)
    found = only(findings, "no_skew", CUTOFF)
    assert found.passed
    assert found.reason == f"{found.numbers['rows']} rows are in training, too. All features are the same."


def test_what_is_not_there_yet_is_asked_for(ready):
    work, _ = ready
    later = replace(scores, moments=Weekly(first=LAST + timedelta(days=2), last=LAST + timedelta(days=2)))
    with pytest.raises(MissingInputError, match="source 'orders' has only those before 2024-04-30"):
        score(work, later)
    with pytest.raises(MissingInputError, match="no version 7 of 'lapse'"):
        score(work, replace(scores, version=7), [AFTER])
    with pytest.raises(MissingInputError, match="no alias 'champion' of 'lapse'"):
        score(on_shelf(work), scores, [AFTER])
    shutil.rmtree(work.platform.landing.parent / "tables/shop/order_history")
    with pytest.raises(MissingInputError, match="shop/order_history has no partition for 1 of the needed days"):
        score(work, scores, [AFTER])


def test_a_tampered_model_scores_nothing(ready):
    work, _ = ready
    (folder,) = (one.folder for one in work.platform.artifacts.versions("models/shop") if one.record["cutoff"] < CUTOFF)
    file = folder / "model.ubj"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    with pytest.raises(StoreError, match="It is not the registered model"):
        score(work, scores, [AFTER])
    # Also when the record beside it was made to fit.
    (record,) = (one for one in folder.iterdir() if one.name == RECORD)
    before = json.loads(record.read_text())["files"]["model.ubj"]
    record.write_text(record.read_text().replace(before, file_sha256(file)))
    with pytest.raises(StoreError, match="was registered"):
        score(work, scores, [AFTER])


def test_a_feature_that_is_made_otherwise_stops_every_moment_and_is_named(ready):
    work, _ = ready
    history = replace(
        order_history,
        derived=(Derived(name="twice", sql="amount * 2", type=Decimal(9, 2)),),
    )
    changed = swapped(scores, order_history, history)
    findings, stopped = score(work, changed, [AFTER])
    assert [one.check.name for one in findings] == ["features_as_trained"]
    assert [one.partition for one in stopped] == [AFTER]
    assert "FeatureGroup order_history: derived" in stopped[0].reason
    assert "feature 'amount_sum_28d'" in stopped[0].reason
    assert work.platform.tables.snapshot(work.table(scores)) is None


def test_features_may_stand_in_another_order_but_none_may_be_missing(ready):
    work, _ = ready
    score(work, scores, [AFTER])
    before = [row["score"] for row in rows_of(work, scores, [AFTER])]
    turned = replace(order_history, features=tuple(reversed(order_history.features)))
    view = replace(lapse_view, features=tuple(reversed(lapse_view.features)))
    for part in (swapped(scores, order_history, turned), swapped(scores, lapse_view, view)):
        assert score(work, part, [AFTER], token=2)[1] == []
        assert [row["score"] for row in rows_of(work, scores, [AFTER])] == before
    fewer = replace(order_history, features=order_history.features[1:])
    (stopped,) = score(work, swapped(scores, order_history, fewer), [AFTER], token=3)[1]
    assert "lapse version 1 cannot be used: feature 'amount_sum_28d' is missing" in stopped.reason


def test_features_of_other_names_and_types_are_told_apart():
    trained = {"km_sum_7d": "DOUBLE", "races": "BIGINT", "wins": "BIGINT"}
    assert schema_changes(trained, dict(reversed(trained.items()))) == []
    given = {"km_total_7d": "DOUBLE", "races": "DOUBLE", "country": "VARCHAR"}
    assert schema_changes(trained, given) == [
        "feature 'km_sum_7d' is missing: was it renamed to 'km_total_7d'?",
        "feature 'wins' is missing",
        "feature 'country' was added: the model does not know it",
        "feature 'races' is DOUBLE now, and was BIGINT in training",
    ]


def test_what_no_model_sees_may_change_and_what_it_sees_may_not(trained):
    work, _, _ = trained
    served, view = in_use(lapse, work=work), lapse_view
    assert unlike_training(served, scores.view) == []
    longer = swapped(view, orders, replace(orders, cadence=replace(orders.cadence, last=None), max_rejected_share=0.5))
    assert unlike_training(served, longer) == []
    assert unlike_training(served, replace(view, helpers=())) == []
    more = replace(order_history, features=(*order_history.features, Total(days=7, of="amount")))
    picked = more.select(*(one.name for one in order_history.features))
    assert meaning_changes(meaning(view), replace(view, features=(picked, *view.features[1:]))) == []
    wider = replace(order_history, features=(order_history.features[0], Recency(days=30), *order_history.features[2:]))
    assert unlike_training(served, swapped(view, order_history, wider)) == [
        "feature 'days_since_last_28d' is missing: was it renamed to 'days_since_last_30d'?"
    ]
    other = replace(view.label, seen_within_days=30)
    assert unlike_training(served, replace(view, label=other)) == [
        "what is predicted, or for whom, is another: Label lapsed: seen_within_days: null → 30"
    ]


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Models of several classes and of rankings, in use."""
    work = on_shelf(work_in(tmp_path_factory.mktemp("searched")))
    searches.deliver(work, searches.invented(a_day=12))
    for one in (searches.of_classes, searches.of_rankings):
        champion(work, one, train(work, one.card.evaluation.model, searches.CUTOFF))
    return work


def test_of_classes_there_is_the_likeliest_and_all_probabilities(searched):
    declared = Scores(name="action_scores", description="What will be done.", registration=searches.of_classes)
    findings, stopped = score(searched, declared)
    assert stopped == []
    record = record_of(declared, searches.CUTOFF, work=searched).record
    assert record["classes"] == ["booked", "ignored", "opened"]
    rows = rows_of(searched, declared)
    for row in rows:
        assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-6)
        assert row["score"] == max(row["probabilities"])
        assert record["classes"][row["probabilities"].index(row["score"])] == row["predicted"]
    assert {row["predicted"] for row in rows} == set(record["classes"])
    assert "Jensen-Shannon distance of predicted" in only(findings, "score_drift", searches.CUTOFF).reason
    assert rescore(declared, searches.CUTOFF, work=searched).differences == []


def test_of_rankings_there_is_the_place_in_each_group(searched):
    declared = Scores(name="relevance_scores", description="What to show first.", registration=searches.of_rankings)
    findings, stopped = score(searched, declared, [searches.CUTOFF])
    assert stopped == []
    assert only(findings, "no_skew", searches.CUTOFF).passed
    groups = {}
    for row in rows_of(searched, declared, [searches.CUTOFF]):
        groups.setdefault(row["search_id"], []).append((row["rank"], row["score"]))
    assert len(groups) == 12
    for found in groups.values():
        found.sort()
        assert [rank for rank, _ in found] == list(range(1, len(found) + 1))
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)


def test_a_week_unlike_the_test_rows_is_said_and_no_more(searched):
    far = searches.of_rankings
    declared = Scores(name="far_scores", description="Dear ones.", registration=far, max_psi=0.05)
    key = searches.CUTOFF
    source = searches.shown
    there = rows_of(searched, source, [key])
    dear = [row | {"price": 10_000.0, "stars": 1} for row in there]
    plain = [{n: v.replace(tzinfo=None) if hasattr(v, "tzinfo") else v for n, v in row.items()} for row in dear]
    write(searched, source, key, pa.Table.from_pylist(plain, schema=searches.ROW))
    make(searched, source, [key], token=9)
    findings, stopped = score(searched, declared, [key])
    assert stopped == []
    found = only(findings, "score_drift", key)
    assert not found.passed
    assert "PSI of score is" in found.reason
    assert "the model's test rows" in found.reason
    assert not only(findings, "no_skew", key).passed


def test_a_moment_without_a_population_has_no_scores(searched):
    declared = Scores(name="none_scores", description="Nobody.", registration=searches.of_classes)
    key = str(searches.FIRST)
    write(searched, searches.shown, key, searches.ROW.empty_table())
    make(searched, searches.shown, [key], token=9)
    _, stopped = score(searched, declared, [key])
    assert stopped == []
    assert rows_of(searched, declared, [key]) == []
