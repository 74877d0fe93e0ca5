"""From a declaration to a card: a model of several classes, and one that ranks."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from platform_ml import Rival
from platform_ml.engine.card_artifact import materialize_model_card
from platform_ml.engine.evaluation import load, materialize_evaluation
from platform_ml.engine.portable import run
from platform_ml.engine.tracked_evaluation import Evaluated, track_evaluation
from platform_ml.engine.training_dataset import materialize_training_dataset, split_rows
from platform_ml.engine.tuned_model import fitted, materialize_tuned_model, train
from platform_ml.families import SingleFeature
from platform_ml.metrics import NDCG, Accuracy
from platform_ml.spec.errors import DeclarationError, RowsError
from platform_ml.spec.registration import Approved
from platform_ml.splitters import ByHash, ByTime
from platform_ml_tests.engine import searches
from platform_ml_tests.engine.searches import CUTOFF, Notes, of_classes, of_rankings
from platform_ml_tests.engine.shop import work_in

MADE_BY = {"git_commit": "c" * 40, "git_dirty": "false", "lock_hash": "1" * 64, "platform_version": "0"}
MADE_BY |= {"python_version": "3.11.7", "dagster_run": "run"}


@dataclass
class Made:
    """Everything between a dataset and its card."""

    registration: object
    dataset: object
    model: object
    result: object
    rendered: object
    tracker: Notes

    @property
    def test(self):
        return split_rows(self.declared.dataset, self.dataset, "test")

    @property
    def declared(self):
        return self.registration.card.evaluation.model


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    made = work_in(tmp_path_factory.mktemp("searches"))
    searches.deliver(made, searches.invented())
    return made


def dataset_of(declared, work):
    done = materialize_training_dataset(declared, CUTOFF, work=work, made_by=MADE_BY)
    return done, {one.check.name: one.reason for one in done.findings if one.stops}


def made_of(registration, work):
    tracker = Notes()
    work = replace(work, platform=replace(work.platform, tracker=tracker))
    evaluation = registration.card.evaluation
    done, stopped = dataset_of(evaluation.model.dataset, work)
    assert stopped == {}
    model = materialize_tuned_model(evaluation.model, CUTOFF, done.artifact, work=work, made_by=MADE_BY)
    result, artifact = materialize_evaluation(evaluation, CUTOFF, done.artifact, model, work=work)
    track_evaluation(
        Evaluated(evaluation=evaluation, result=result, artifact=artifact, dataset=done.artifact, model=model),
        work=work,
    )
    assert load(evaluation, CUTOFF, work=work) == result
    card = materialize_model_card(
        registration, CUTOFF, result=result, verdicts=registration.judge(result), dataset=done.artifact, model=model,
        work=work,
    )  # fmt: skip
    return Made(registration, done.artifact, model, result, card.rendered, tracker)


@pytest.fixture(scope="module")
def classes(work):
    return made_of(of_classes, work)


@pytest.fixture(scope="module")
def rankings(work):
    return made_of(of_rankings, work)


def test_the_classes_are_those_of_the_training_rows_by_name(classes):
    assert classes.dataset.record["split"]["classes"] == ["booked", "ignored", "opened"]
    test = classes.test
    rows = pq.read_table(classes.dataset.folder / "test.parquet")
    assert [test.classes[int(place)] for place in test.label] == rows["action_taken"].to_pylist()


def test_both_models_pass_their_gates(classes, rankings):
    for made in (classes, rankings):
        approved = Approved.by(made.registration, made.result)
        assert approved.model_digest == made.model.digest
        assert "Approved: both gates passed" in made.rendered.markdown


def test_a_published_model_of_classes_gives_probabilities_of_each(classes):
    predictor, baselines = fitted(classes.declared, classes.model)
    test = classes.test
    prediction = predictor.predict(test.features)
    assert prediction.shape == (len(test.label), 3)
    assert classes.result.test("accuracy").value == Accuracy().score(test.label, prediction)
    assert predictor.classes == baselines["majority"].classes == test.classes
    graph = run((classes.model.folder / "model.onnx").read_bytes(), predictor.inputs(test.features))
    np.testing.assert_allclose(graph, prediction, atol=1e-5)


def test_a_published_model_that_ranks_beats_the_order_by_price(rankings):
    predictor, _ = fitted(rankings.declared, rankings.model)
    test = rankings.test
    score = NDCG().score(test.label, predictor.predict(test.features), test.group)
    assert rankings.result.test("ndcg_at_10").value == score
    assert rankings.result.baselines["cheapest"].lead["ndcg_at_10"].low > 0
    graph = run((rankings.model.folder / "model.onnx").read_bytes(), predictor.inputs(test.features))
    np.testing.assert_allclose(graph, predictor.predict(test.features), atol=1e-5)


def test_families_that_compete_are_ranked_in_groups(rankings):
    declared = rankings.declared
    competing = replace(
        declared, rivals=(Rival(name="cheapest", family=SingleFeature(feature="price", descending=True)),)
    )
    splits = {name: split_rows(declared.dataset, rankings.dataset, name) for name in ("train", "validation")}
    validation, trained = splits["validation"], train(competing, splits, progress=lambda _: None)
    cheapest = trained.contest.entrants[1]
    prediction = cheapest.found.predictor.predict(validation.features)
    assert cheapest.found.score.value == NDCG().score(validation.label, prediction, group=validation.group)
    assert trained.contest.chosen == declared.family.name


def test_an_evaluation_of_classes_counts_who_is_taken_for_whom(classes):
    found, test = classes.result.classes, classes.test
    prediction = fitted(classes.declared, classes.model)[0].predict(test.features).argmax(axis=1)
    for place, one in enumerate(found):
        assert one.predicted == tuple(((test.label == place) & (prediction == at)).sum() for at in range(3))
        assert one.rows == sum(one.predicted) == (test.label == place).sum()
    hits = sum(one.predicted[place] for place, one in enumerate(found))
    assert classes.result.test("accuracy").value == pytest.approx(hits / len(test.label))
    assert classes.result.test("macro_f1").value == pytest.approx(np.mean([one.f1 for one in found]))
    assert classes.result.test("macro_roc_auc").value == pytest.approx(np.mean([one.roc_auc for one in found]))
    assert classes.result.splits["test"].mean == max(one.rows for one in found) / len(test.label)


def test_an_evaluation_of_rankings_speaks_of_groups(rankings):
    groups, test = rankings.result.groups, rankings.test
    sizes = np.unique(test.group, return_counts=True)[1]
    assert (groups["groups"], groups["most_rows"]) == (len(sizes), sizes.max())
    curves = dict(rankings.result.curves)
    assert dict(curves["ndcg_at"])[10.0] == pytest.approx(rankings.result.test("ndcg_at_10").value)
    assert len(curves["ndcg_by_size"]) > 2
    assert "baseline_ndcg_by_size_cheapest" in curves


def test_intervals_slices_and_importance_are_there_for_both(classes, rankings):
    for made in (classes, rankings):
        first = made.result.test(made.registration.card.evaluation.metrics[0].name)
        assert first.low < first.value < first.high
        assert {one.value for one in made.result.slices} == {"desk", "phone"}
        assert all(one.gap.value is not None for one in made.result.slices)
        assert {one.feature for one in made.result.importance} == {"price", "stars"}
        assert all(one.mean_abs_shap > 0 for one in made.result.importance)


def test_the_card_of_classes_shows_them(classes):
    card = classes.rendered
    names = [plot.name for plot in card.plots]
    assert names[:5] == ["calibration", "scores", "confusion", "importance", "slices"]
    for text in (card.markdown, card.html):
        for words in ("Confusion matrix", "booked", "ROC AUC against the rest", "Most frequent class"):
            assert words in text
        assert "Residuals" not in text
    assert "tabular-classification" in card.markdown
    assert [one["name"] for one in card.json["evaluation"]["classes"]] == ["booked", "ignored", "opened"]
    assert json.loads(card.files["card.json"]) == json.loads(json.dumps(card.json))


def test_the_card_of_rankings_shows_groups(rankings):
    card = rankings.rendered
    assert [plot.name for plot in card.plots][:4] == ["ndcg_at", "ndcg_by_size", "importance", "slices"]
    for text in (card.markdown, card.html):
        for words in ("rows of the same", "search_id", "Groups without a relevant row", "Mean relevance"):
            assert words in text
        for words in ("Confusion", "Residuals", "robabilit"):
            assert words not in text


def test_the_program_on_the_card_of_classes_runs(classes, tmp_path, monkeypatch):
    rows = pq.read_table(classes.dataset.folder / "test.parquet")
    pq.write_table(rows, tmp_path / "rows.parquet")
    (tmp_path / "model.ubj").write_bytes((classes.model.folder / "model.ubj").read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(compile(classes.rendered.json["usage"], "usage", "exec"), {})  # noqa: S102 - our own program
    found = pq.read_table(tmp_path / "predictions.parquet")
    expected = fitted(classes.declared, classes.model)[0].predict(rows.select(["price", "stars"]))
    for place, name in enumerate(classes.test.classes):
        np.testing.assert_allclose(found[f"probability of {name}"].to_numpy(), expected[:, place], atol=1e-6)
    one = {name: rows[name][5].as_py() for name in ("price", "stars")}
    (tmp_path / "row.json").write_text(json.dumps(one))
    names = {}
    exec(compile(classes.rendered.json["usage_online"], "usage", "exec"), names)  # noqa: S102 - our own program
    assert names["predict"](one) == pytest.approx(dict(zip(classes.test.classes, expected[5], strict=True)), abs=1e-6)


def test_the_tracker_gets_what_fits_the_label(classes, rankings):
    of_classes, of_rankings = (
        {name.rpartition("/")[2]: content.decode() for name, content in made.tracker.files.items() if ".csv" in name}
        for made in (classes, rankings)
    )
    assert of_classes["confusion_matrix.csv"].startswith("label,predicted booked,predicted ignored,predicted opened")
    assert of_classes["sample_predictions.csv"].startswith("row,event_time,label,probability of booked,")
    assert "class_scores.csv" in of_classes
    assert of_rankings["ndcg_by_size.csv"].startswith("rows of a group,ndcg_at_10")
    assert not {"confusion_matrix.csv", "residuals.csv"} & of_rankings.keys()
    assert "train_ndcg_at_10" in rankings.tracker.runs[-1].children[0].metrics


def test_a_declaration_that_would_cut_groups_is_refused():
    with pytest.raises(DeclarationError, match="ranked within 'search_id', but ByHash draws single rows"):
        replace(searches.relevant_dataset, splitter=ByHash())


def test_rows_that_cut_groups_are_not_published(work):
    within = replace(searches.relevant, ranked_within="device")
    dataset = replace(
        searches.relevant_dataset,
        view=replace(searches.relevant_view, label=within),
        splitter=ByTime(validation_days=1, gap_days=1, test_days=2),
        random_split_because=None,
    )
    done, stopped = dataset_of(dataset, work)
    assert done.artifact is None
    assert "2 of 2 values of 'device' are in more than one split" in stopped["groups"]


def test_a_class_without_a_training_row_is_not_published(tmp_path):
    other = work_in(tmp_path)
    rows = searches.invented(a_day=12)
    first_test_day = max(row["shown_at"].date() for row in rows)
    for row in rows:
        if row["shown_at"].date() == first_test_day and row["action"] == "booked":
            row["action"] = "stolen"
    searches.deliver(other, rows)
    done, stopped = dataset_of(searches.action_dataset, other)
    assert done.artifact is None
    assert "No training row is of 'stolen'" in stopped["splits"]


def test_rows_of_an_unknown_class_are_refused(classes):
    record = classes.dataset.record
    artifact = replace(classes.dataset, record=record | {"split": record["split"] | {"classes": ["booked", "ignored"]}})
    with pytest.raises(RowsError, match="class 'opened' of the test split is in no training row"):
        split_rows(classes.declared.dataset, artifact, "test")
