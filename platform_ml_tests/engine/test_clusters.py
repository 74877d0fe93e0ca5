"""Groups of rows without a label, through the same nouns: from a population to scores."""

import json
import shutil
from dataclasses import replace
from datetime import date

import jsonschema
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import davies_bouldin_score, silhouette_score

from platform_ml.engine.card_artifact import materialize_model_card
from platform_ml.engine.clusters import Clustered, with_clusters
from platform_ml.engine.evaluation import materialize_evaluation
from platform_ml.engine.rows import SplitRows
from platform_ml.engine.serving import load
from platform_ml.engine.signature import signature
from platform_ml.engine.tracked_evaluation import Evaluated, track_evaluation
from platform_ml.engine.tuned_model import fitted, train
from platform_ml.families import Average, KMeans
from platform_ml.gates import AtLeast, StableClusters
from platform_ml.metrics import MAE, SimplifiedSilhouette
from platform_ml.outcomes import Unlabelled
from platform_ml.preparations import Clip
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import EvaluationResult
from platform_ml.spec.registration import Approved
from platform_ml.spec.scores import Scores
from platform_ml.spec.slicing import WeakSlices
from platform_ml.spec.task import CLUSTERING
from platform_ml.spec.tuned_model import Baseline
from platform_ml.spec.window import Weekly
from platform_ml.testing.declarations import numbers
from platform_ml.tuners import TPE
from platform_ml_tests.engine import shelf
from platform_ml_tests.engine.shop import CUTOFF, SHOP, lapse_dataset, lapse_view, lapsed, make, order_history, work_in
from platform_ml_tests.engine.test_card_page import TEMPLATES

(registered,) = SHOP.outputs
there = replace(lapsed, name="shoppers", outcome=Unlabelled(), description="Who shops.")
view = replace(lapse_view, name="shopper_view", label=there, features=(order_history,))
dataset = replace(lapse_dataset, name="shopper_dataset", view=view)
MODEL = replace(
    registered.card.evaluation.model,
    name="shopper_groups",
    dataset=dataset,
    family=KMeans(starts=3),
    tuner=TPE(trials=4),
    metric=SimplifiedSilhouette(),
    baselines=(Baseline(name="halves", family=KMeans(clusters=2, starts=1)),),
    preparations=(Clip(of=("amount_sum_28d",), low=0.01, high=0.99),),
)
EVALUATION = replace(
    registered.card.evaluation, name="shopper_groups_evaluation", model=MODEL, metrics=(SimplifiedSilhouette(),)
)
GROUPS = replace(
    registered,
    name="shopper_groups_registered",
    card=replace(registered.card, name="shopper_groups_card", evaluation=EVALUATION),
    gates=(AtLeast("simplified_silhouette", 0.3), StableClusters(0.5)),
)
SCORES = Scores(
    name="shopper_scores",
    description="Who is of which group.",
    registration=GROUPS,
    moments=Weekly(first=date(2024, 4, 24), last=date(2024, 4, 24)),
)


def blobs(seed, middles, count=240):
    """Rows around some middles, four of each entity."""
    draw = np.random.default_rng(seed)
    at = draw.integers(len(middles), size=count)
    places = np.asarray(middles)[at] + draw.normal(size=(count, 2))
    rows = SplitRows(
        features=pa.table({"amount_sum_28d": places[:, 0], "days_since_last_28d": places[:, 1]}),
        label=np.zeros(count),
        entity=np.arange(count) // 4,
        event_time=pa.chunked_array([pa.nulls(count, pa.timestamp("us", "UTC"))]),
        helpers=pa.table({}),
        task=CLUSTERING,
    )
    return rows, at


def clustered(middles, clusters):
    model = replace(MODEL, preparations=(), family=KMeans(clusters=clusters))
    splits = {name: blobs(seed, middles)[0] for seed, name in enumerate(("train", "validation", "test"))}
    made = train(model, splits, progress=lambda _: None)
    found = Clustered(model=model, family=made.family, params=made.params, predictor=made.predictor)
    return with_clusters(numbers(), found, splits).clusters, found, splits


def test_clusters_that_are_there_are_stable_and_others_are_not():
    apart = [(0, 0), (12, 0), (0, 12)]
    there, made, splits = clustered(apart, 3)
    assert all(one.stability > 0.95 for one in there.clusters)
    assert there.agreement > 0.95
    cut, _, _ = clustered(apart, 5)
    assert min(one.stability for one in cut.clusters) < 0.75
    assert cut.agreement < there.agreement
    noise, _, _ = clustered([(0, 0)], 5)
    assert min(one.stability for one in noise.clusters) < 0.6
    test = splits["test"].features
    columns, groups = made.predictor.coordinates(test), made.predictor.predict(test).argmin(axis=1)
    assert there.silhouette == pytest.approx(silhouette_score(columns, groups))
    assert there.davies_bouldin == pytest.approx(davies_bouldin_score(columns, groups))
    assert with_clusters(numbers(), made, splits).clusters == there


def test_each_cluster_is_described_by_its_rows():
    found, made, splits = clustered([(0, 0), (12, 0), (0, 12)], 3)
    groups = made.groups(splits["train"])
    values = splits["train"].features["amount_sum_28d"].to_numpy()
    for one in found.clusters:
        assert one.train_rows == (groups == one.number - 1).sum()
        assert one.means["amount_sum_28d"] == pytest.approx(values[groups == one.number - 1].mean())
    sizes = [one.train_rows for one in found.clusters]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(one.share for one in found.clusters) == pytest.approx(1)
    assert found.means["amount_sum_28d"] == pytest.approx(values.mean())


@pytest.fixture(scope="module")
def home(tmp_path_factory, built):
    """The shop up to a card of groups."""
    folder = tmp_path_factory.mktemp("groups") / "shop"
    shutil.copytree(built.platform.landing.parent, folder)
    work = shelf.on_shelf(work_in(folder))
    for noun in (there, view):
        assert [done.stopped for done in make(work, noun) if done.stopped] == []
    trained = shelf.train(work, MODEL, CUTOFF)
    return work, trained


@pytest.fixture(scope="module")
def judged(home):
    work, trained = home
    rows = next(
        one
        for one in work.platform.artifacts.versions(f"datasets/shop/{dataset.name}")
        if one.digest == trained.record["dataset"]
    )
    result, artifact = materialize_evaluation(EVALUATION, CUTOFF, rows, trained, work=work)
    done = Evaluated(evaluation=EVALUATION, result=result, artifact=artifact, dataset=rows, model=trained)
    track_evaluation(done, work=work)
    card = materialize_model_card(
        GROUPS, CUTOFF, result=result, verdicts=GROUPS.judge(result), dataset=rows, model=trained, work=work
    )
    return result, card.rendered, rows


def test_the_number_of_clusters_is_searched_by_validation_rows(home):
    _, trained = home
    assert 2 <= trained.record["params"]["clusters"] <= 8
    assert trained.record["search"]["trials"] >= 1
    predictor, baselines = fitted(MODEL, trained)
    row = pa.table({"amount_sum_28d": [1.0], "days_since_last_28d": [1], "bought_lately": [True]})
    assert baselines["halves"].predict(row).shape == (1, 2)
    assert (trained.folder / "model.json").read_text().startswith("{")
    assert predictor.fitted.steps == MODEL.preparations


def test_the_evaluation_holds_what_fits_groups(judged):
    result, _, _ = judged
    assert result.test("simplified_silhouette").value > 0.3
    assert (result.explanations, result.residuals, result.importance, dict(result.curves)) == (None, {}, (), {})
    assert result.splits["test"].mean is None
    assert result.clusters.resamples == 20
    assert EvaluationResult.from_json(json.loads(json.dumps(result.to_json()))) == result
    assert Approved.by(GROUPS, result).model_digest == result.model_digest


def test_the_card_says_what_is_typical_of_each(judged):
    _, card, _ = judged
    for text in (card.markdown, card.html):
        for words in ("unsupervised", "Cluster 2", "Davies-Bouldin", "Stability", "adjusted Rand", "amount_sum_28d"):
            assert words in text
        assert "Residuals" not in text
    jsonschema.validate(json.loads(card.files["card.json"]), json.loads((TEMPLATES / "card.schema.json").read_text()))


def test_the_program_on_the_card_runs(home, judged, tmp_path, monkeypatch):
    _, trained = home
    _, card, rows = judged
    test = pq.read_table(rows.folder / "test.parquet")
    pq.write_table(test, tmp_path / "rows.parquet")
    for name in ("model.json", "preparation.json"):
        (tmp_path / name).write_bytes((trained.folder / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(compile(card.json["usage"], "usage", "exec"), {})  # noqa: S102 - our own program
    expected = fitted(MODEL, trained)[0].predict(test.select(view.feature_names))
    found = pq.read_table(tmp_path / "predictions.parquet")
    assert found["cluster"].to_pylist() == (expected.argmin(axis=1) + 1).tolist()
    assert found["distance"].to_pylist() == expected.min(axis=1).tolist()


def test_the_tracker_is_told(home, judged):
    work, _ = home
    result, _, _ = judged
    run = work.platform.tracker.runs[-1]
    assert run.metrics["test_silhouette"] == result.clusters.silhouette
    assert run.metrics["test_least_stability"] == min(one.stability for one in result.clusters.clusters)
    names = {name.rpartition("/")[2]: text.decode() for name, text in work.platform.tracker.files.items()}
    assert names["clusters.csv"].startswith("cluster,train_rows,test_rows,stability,")
    assert "distance to cluster 1,distance to cluster 2" in names["sample_predictions.csv"]


def test_scores_say_the_cluster_and_how_far_it_is(home):
    work, trained = home
    shelf.champion(work, GROUPS, trained)
    findings, stopped = shelf.score(work, SCORES)
    assert stopped == []
    assert {one.check.name: one.passed for one in findings}["finite_scores"]
    rows = work.read(SCORES, []).paths(["2024-04-24"])
    found = pa.concat_tables([pq.ParquetFile(path).read() for path in rows])
    served = load(GROUPS, work=work)
    assert set(found["cluster"].to_pylist()) <= set(range(1, len(served.predictor.predictor.centres) + 1))
    assert min(found["score"].to_pylist()) >= 0
    assert "cluster" in SCORES.meanings


def test_what_comes_out_is_described_for_the_registry():
    (output,) = signature(view)["outputs"]
    assert (output["type"], output["name"]) == ("array", "distance to each cluster")


def test_what_needs_a_label_is_refused():
    with pytest.raises(DeclarationError, match="is for a label of numbers, but this one has rows without a label"):
        replace(MODEL, metric=MAE())
    with pytest.raises(DeclarationError, match="rows without a label"):
        replace(MODEL, baselines=(Baseline(name="mean", family=Average()),))
    with pytest.raises(DeclarationError, match="rows of a clustering have no error of their own"):
        replace(EVALUATION, weak_slices=WeakSlices())
    with pytest.raises(DeclarationError, match="has no outcome, so it ranks and supervises nothing"):
        replace(there, self_supervised=True)
