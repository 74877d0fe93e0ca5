"""Next week's load, with intervals, from files to the registry and to scores: self-supervised, by the same nouns."""

import shutil
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.engine.card_artifact import materialize_model_card
from platform_ml.engine.card_usage import usage
from platform_ml.engine.evaluation import FILE, KIND, materialize_evaluation
from platform_ml.engine.registration import register
from platform_ml.engine.serving import load
from platform_ml.engine.tuned_model import files_in, intervals_in
from platform_ml.families import Average, Linear
from platform_ml.gates import IntervalsCover, SliceAtMost
from platform_ml.metrics import MAE
from platform_ml.outcomes import Total
from platform_ml.spec.errors import DeclarationError, Refused
from platform_ml.spec.intervals import Conformal
from platform_ml.spec.registration import Approved
from platform_ml.spec.scores import Scores
from platform_ml.spec.tuned_model import Baseline
from platform_ml.spec.window import Weekly
from platform_ml.splitters import ByTime
from platform_ml.testing.declarations import customer_profile
from platform_ml.tuners import TPE
from platform_ml_tests.engine import shelf
from platform_ml_tests.engine.shop import CUTOFF, SHOP, lapse_dataset, lapse_view, lapsed, make, order_history, work_in
from platform_ml_tests.engine.test_registration import ADA

(registered,) = SHOP.outputs
load_label = replace(
    lapsed, name="next_load", description="What comes.", outcome=Total(of="amount", days=7), self_supervised=True
)
view = replace(lapse_view, name="load_view", label=load_label, features=(order_history,))
dataset = replace(lapse_dataset, name="load_dataset", view=view, splitter=ByTime(validation_days=21, test_days=14))
MODEL = replace(
    registered.card.evaluation.model,
    name="load_model",
    dataset=dataset,
    family=Linear(penalty=0.1),
    tuner=TPE(trials=1),
    metric=MAE(),
    baselines=(Baseline(name="average", family=Average()),),
    intervals=Conformal(coverage=0.6, by=("bought_lately",), min_rows=5),
)
EVALUATION = replace(
    registered.card.evaluation, name="load_evaluation", model=MODEL, metrics=(MAE(),), resamples=100, min_rows=1
)
LOAD = replace(
    registered,
    name="load",
    card=replace(registered.card, name="load_card", evaluation=EVALUATION),
    gates=(
        IntervalsCover(0.1),
        SliceAtMost("mae", 10_000.0, by="country", limits={"AT": 9_000.0}, min_rows=1),
    ),
)
SCORES = Scores(
    name="load_scores",
    description="What may come.",
    registration=LOAD,
    moments=Weekly(first=date(2024, 4, 24), last=date(2024, 4, 24)),
)


@pytest.fixture(scope="module")
def flow(tmp_path_factory, built):
    """A model of next week's load up to its card, and in use."""
    folder = tmp_path_factory.mktemp("load") / "shop"
    shutil.copytree(built.platform.landing.parent, folder)
    work = shelf.on_shelf(work_in(folder))
    for noun in (load_label, view):
        assert [done.stopped for done in make(work, noun) if done.stopped] == []
    trained = shelf.train(work, MODEL, CUTOFF)
    (rows,) = work.platform.artifacts.versions(f"datasets/shop/{dataset.name}")
    result, _ = materialize_evaluation(EVALUATION, CUTOFF, rows, trained, work=work)
    card = materialize_model_card(
        LOAD, CUTOFF, result=result, verdicts=LOAD.judge(result), dataset=rows, model=trained, work=work
    )
    shelf.champion(work, LOAD, trained)
    return work, trained, rows, result, card.rendered


def test_the_card_names_the_learning_and_what_the_intervals_are_worth(flow):
    *_, card = flow
    for text in (card.markdown, card.html):
        for words in ("self-supervised", "Prediction intervals", "exchangeable", "= true"):
            assert words in text


def test_the_program_on_the_card_says_how_to_get_them():
    used = {"files": {"model.json": "0" * 64}, "registered_as": "load@champion"}
    assert '# load_model("load@champion").predict_interval(rows)' in usage(MODEL, used, registered=True)
    assert "predict_interval" not in usage(replace(MODEL, intervals=None), used, registered=True)


def test_the_model_in_use_says_them_as_they_were_measured(flow):
    work, trained, rows, result, _ = flow
    test = pq.read_table(rows.folder / "test.parquet")
    served, features = load(LOAD, work=work), test.select(view.feature_names)
    low, high = served.intervals.bounds(served.predictor.predict(features), features).T
    known = intervals_in(trained.folder, MODEL)
    half = {one.group: one.half for one in known.widths}
    lately = [str(value).lower() for value in test["bought_lately"].to_pylist()]
    assert (high - low).tolist() == pytest.approx([2 * half[value] for value in lately])
    truth = test["next_load"].to_numpy()
    assert result.intervals.covered.value == ((truth >= low) & (truth <= high)).mean()
    assert result.evidence.of("interval_coverage", "all", "bought_lately")


def test_a_model_without_its_intervals_is_not_registered(flow):
    work, trained, _, result, _ = flow
    numbers = work.platform.artifacts.newest(work.place(KIND, EVALUATION, CUTOFF))
    files = files_in(trained.folder) | {FILE: numbers.folder / FILE}
    files.pop("intervals.json")
    with pytest.raises(Refused, match=r"comes without .intervals\.json"):
        register(
            LOAD, Approved.by(LOAD, result), registry=work.platform.registry, run_id="", files=files, tags={}, actor=ADA
        )


def test_scores_have_them_as_columns(flow):
    work, *_ = flow
    _, stopped = shelf.score(work, SCORES)
    assert stopped == []
    found = pa.concat_tables([pq.ParquetFile(path).read() for path in work.read(SCORES, []).paths(["2024-04-24"])])
    low, score, high = (np.array(found[name].to_pylist()) for name in ("lower", "score", "upper"))
    assert (low < score).all()
    np.testing.assert_allclose((low + high) / 2, score)
    assert SCORES.meanings["lower"] == "The lower end of the range that holds the truth 0.6 of the times."


def test_only_a_label_of_records_that_features_read_is_self_supervised():
    with pytest.raises(DeclarationError, match="called self-supervised, but no feature is made of its source 'orders'"):
        replace(view, features=(customer_profile,), helpers=())
