import json
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from platform_ml import Choice, Complexity, Rival
from platform_ml.adapters.folders import Folders
from platform_ml.engine.bootstrap import Measured
from platform_ml.engine.contest import Entrant, Found, choose, found_better, over, standings, verdict
from platform_ml.engine.cross_validation import CrossValidated, FoldScore
from platform_ml.engine.ports import Artifact
from platform_ml.engine.tracked_contest import FOLDS, with_contest
from platform_ml.engine.tracked_run import SEARCH, model_run
from platform_ml.engine.tuned_model import SEARCH as SEARCH_FILE
from platform_ml.engine.tuned_model import fitted, model_digest, save, train
from platform_ml.families import Linear, SingleFeature, XGBoost
from platform_ml.metrics import RMSE
from platform_ml.spec.errors import PlatformError, RowsError, StoreError
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.space import Between
from platform_ml.spec.task import BINARY
from platform_ml.spec.tuner import Search, TriedParams
from platform_ml.testing.declarations import spend_model
from platform_ml.tuners import TPE
from platform_ml_tests.engine.test_cross_validation import fold
from platform_ml_tests.engine.test_tracked_run import RECORD
from platform_ml_tests.engine.test_tuned_model import MODEL, RECENCY, Splits, quiet


@dataclass(frozen=True, kw_only=True)
class Hopeless:
    """A family that no rows are good enough for."""

    name: ClassVar[str] = "hopeless"
    tasks: ClassVar = (BINARY,)
    share: float | Between = Between(0.0, 1.0)

    def fit(self, train, validation, *, params, seed, report=None):
        raise RowsError("These rows will not do.")


COMPETING = replace(
    MODEL,
    family=replace(MODEL.family, max_rounds=20),
    tuner=TPE(trials=2),
    rivals=(
        Rival(family=Linear()),
        Rival(name="recency", family=SingleFeature(feature=RECENCY)),
        Rival(family=Hopeless(), tuner=TPE(trials=1)),
    ),
    choice=Choice(resamples=200, size_bytes=10_000_000),
)


@pytest.fixture(scope="module")
def trained():
    splits, said = Splits(), []
    found = train(COMPETING, splits, progress=said.append)
    return found, splits, said


def test_the_test_rows_are_never_touched(trained):
    assert trained[1].read == {"train", "validation"}


def test_the_simplest_of_those_that_tie_becomes_the_model(trained):
    found, _, said = trained
    assert (found.name, found.family) == ("linear", Linear())
    assert type(found.predictor).__name__ == "WeightedSum"
    assert found.search is found.contest.winner.search
    assert said[-1].startswith("lapse_model: linear is chosen. It ")
    assert sum("lapse_model_linear: trial" in text for text in said) == 2


def test_the_leader_board_says_what_each_scored_and_cost(trained):
    board = standings(trained[0].contest)
    assert json.loads(json.dumps(board, allow_nan=False)) == board
    by_name = {one["name"]: one for one in board["families"]}
    assert [*by_name] == ["linear", *sorted(["xgboost", "recency"], key=lambda n: -by_name[n]["score"]["value"]),
                          "hopeless"]  # fmt: skip
    assert {name: one["verdict"] for name, one in by_name.items()} == {
        "linear": "chosen", "xgboost": "tie", "recency": "worse", "hopeless": "not compared",
    }  # fmt: skip
    assert by_name["recency"]["lead"]["low"] > 0
    assert by_name["xgboost"]["lead"]["low"] < 0 < by_name["xgboost"]["lead"]["high"]
    assert "because: These rows will not do. Look at" in by_name["hopeless"]["out"]
    assert by_name["recency"]["trials"] == 1, "there is nothing to search"
    for name in ("linear", "xgboost", "recency"):
        one = by_name[name]
        assert one["score"]["low"] < one["score"]["value"] < one["score"]["high"]
        assert one["seconds"] > 0 < one["latency_ms"]["p50"] <= one["latency_ms"]["p99"]
        assert one["size_bytes"] > 50
    assert (by_name["xgboost"]["complexity"], by_name["xgboost"]["kind"]) == (3, "trees")


def test_another_training_comes_to_the_same_choice(trained):
    again = train(COMPETING, Splits(), progress=quiet)
    differ = ("seconds", "latency_ms")
    boards = [standings(one.contest) for one in (trained[0], again)]
    for board in boards:
        board["families"] = [{k: v for k, v in one.items() if k not in differ} for one in board["families"]]
    assert boards[0] == boards[1]


def test_what_was_saved_is_read_by_the_family_that_won(trained, tmp_path):
    found, splits, _ = trained
    rows = splits["test"].features
    record = {"family": found.name}
    artifact = Folders(tmp_path).publish("models/x", "a" * 64, record, lambda folder: save(found, folder))
    predictor, _ = fitted(COMPETING, artifact)
    assert predictor.predict(rows).tolist() == found.predictor.predict(rows).tolist()
    plain = json.loads((artifact.folder / SEARCH_FILE).read_text())
    assert plain["family"] == "linear"
    assert plain["rivals"].keys() == {"xgboost", "recency"}
    assert len(plain["rivals"]["xgboost"]["trials"]) == 2
    with pytest.raises(StoreError, match="was made by family 'linear', which is not declared now"):
        fitted(replace(COMPETING, rivals=COMPETING.rivals[1:]), artifact)


def test_who_won_is_part_of_what_a_model_is_called(trained, tmp_path):
    file = save(trained[0], tmp_path)
    said = {"params": trained[0].params, "dataset": "d", "declared": "f"}
    assert len({model_digest(file, **said, family=name) for name in (None, "linear", "xgboost")}) == 3


def test_the_tracker_is_told_of_those_that_lost(trained, tmp_path):
    found, _, _ = trained
    save(found, tmp_path)
    folds = CrossValidated(
        metric="roc_auc", title="", rule="", stopping="", folds=(at(1, 0.8), at(2, None), at(3, 0.6))
    )
    run = model_run(
        COMPETING, found, model_digest="m" * 64, folder=tmp_path, experiment="shop", tags={}, started=10**7,
        dataset=Artifact(folder=tmp_path, digest="d" * 64, record=RECORD),
    )  # fmt: skip
    run = with_contest(run, replace(found, folds=folds))
    assert run.name == "sweep-linear"
    assert run.params["family"] == "linear"
    assert {"space.penalty", "penalty"} <= run.params.keys()
    lost = {child.name: child for child in run.children if "lost_to" in child.tags}
    assert lost.keys() == {"sweep-xgboost", "train-recency"}
    one = lost["sweep-xgboost"]
    assert (one.tags["candidate"], one.tags["kind"], one.tags["lost_to"]) == ("false", SEARCH, "linear")
    assert [child.name for child in one.children] == ["trial-0", "trial-1"]
    assert {"validation_roc_auc", "latency_p99_ms", "size_bytes"} <= one.metrics.keys()
    assert len({child.key for child in run.children}) == len(run.children)
    assert run.curves[FOLDS] == [0.8, 0.6]
    assert run.metrics["cv_mean"] == pytest.approx(0.7)
    assert run.metrics["cv_std"] == pytest.approx(0.2 / 2**0.5)
    assert run.metrics["cv_folds"] == 2


def test_a_kind_that_may_not_be_chosen_is_not_searched():
    model = replace(COMPETING, rivals=COMPETING.rivals[1:2], choice=Choice(complexity=Complexity.WEIGHTS))
    said = []
    found = train(model, Splits(), progress=said.append)
    board = standings(found.contest)
    assert found.name == "recency"
    assert board["families"][1]["out"] == "It is trees, and readable weights are the least simple that may be chosen."
    assert board["why"] == "No other family can be chosen."
    assert not any("lapse_model_xgboost" in text or "lapse_model: trial" in text for text in said)


def test_without_anybody_within_the_limits_nothing_is_trained():
    model = replace(COMPETING, rivals=COMPETING.rivals[1:], choice=Choice(size_bytes=10))
    with pytest.raises(PlatformError) as error:
        train(model, Splits(), progress=quiet)
    text = str(error.value)
    assert text.startswith("Model 'lapse_model': no family can be chosen. xgboost: It has ")
    assert "and 10 are allowed. recency: It has " in text
    assert "hopeless: lapse_model_hopeless: the search of family" in text
    assert text.endswith("Nothing was published or registered.")


def test_families_can_be_compared_over_folds():
    model = replace(COMPETING, rivals=COMPETING.rivals[:2], folds=3, choice=Choice(test="folds", resamples=100))
    found = train(model, Splits(), folds=[fold(1), fold(2), fold(3)], progress=quiet)
    board = standings(found.contest)
    assert "Nadeau and Bengio" in board["test"]
    by_name = {one["name"]: one for one in board["families"]}
    assert all(len(one["folds"]["folds"]) == 3 for one in by_name.values())
    assert found.folds.to_plain() == by_name[found.name]["folds"], "folds are not fitted twice"
    assert by_name[found.name]["verdict"] == "chosen"
    with pytest.raises(PlatformError, match="chooses by folds, and none were given"):
        train(model, Splits(), progress=quiet)


def at(number, score, rows=(90, 10)):
    return FoldScore(number=number, train_rows=rows[0], validation_rows=rows[1], first="", last="", score=score)


def entrant(name, score, kind, *, out="", spread=0.01, seed=0, folds=(), latency=1.0):
    """A family as it stands after its search; families of one seed differ by their scores alone."""
    best = TriedParams(number=0, params={}, score=score, steps=(), seconds=0.0)
    drawn = score + spread * np.random.default_rng(seed).normal(size=400)
    scored = tuple(at(number, one) for number, one in enumerate(folds, start=1))
    found = Found(
        predictor=None, search=Search(trials=(best,), best=best), seconds=1.0, latency_ms={"p50": 0.1, "p99": latency},
        size_bytes=1_000, score=Measured(value=score, drawn=drawn),
        folds=CrossValidated(metric="", title="", rule="", stopping="", folds=scored),
    )  # fmt: skip
    return Entrant(name=name, complexity=kind, found=found, out=out)


SUM, TREES, NET = Complexity.WEIGHTS, Complexity.TREES, Complexity.NETWORK


@pytest.mark.parametrize(
    ("entrants", "chosen", "because"),
    [
        ([entrant("trees", 0.90, TREES), entrant("sum", 0.80, SUM)], "trees", "found better than every other one"),
        ([entrant("trees", 0.90, TREES), entrant("sum", 0.899, SUM, seed=1)], "sum", "the simplest of 2 that tie"),
        ([entrant("sum", 0.90, SUM), entrant("trees", 0.899, TREES, seed=1)], "sum", "the best score, ROC AUC 0.9000"),
        ([entrant("a", 0.899, TREES), entrant("b", 0.90, TREES, seed=1)], "b", "none of those that tie"),
        ([entrant("a", 0.90, TREES), entrant("b", 0.90, TREES)], "a", "the best score"),
        ([entrant("trees", 0.90, TREES, out="Too slow."), entrant("sum", 0.6, SUM)], "sum", "No other family"),
        (
            [entrant("net", 0.905, NET), entrant("trees", 0.90, TREES, seed=1), entrant("sum", 0.80, SUM, seed=2)],
            "trees",
            "the simplest of 2 that tie",
        ),
    ],
)
def test_the_rule_of_the_choice(entrants, chosen, because):
    name, why = choose(COMPETING, entrants)
    assert name == chosen
    assert because in why


def test_less_may_be_better():
    model = replace(spend_model, metric=RMSE())
    near, far = entrant("near", 3.0, TREES), entrant("far", 9.0, SUM)
    assert choose(model, [far, near])[0] == "near"


def test_how_fast_a_family_is_plays_no_part_within_the_limit():
    def both(slow, fast):
        return [entrant("a", 0.9, TREES, latency=slow), entrant("b", 0.899, TREES, seed=1, latency=fast)]

    assert choose(COMPETING, both(5.0, 0.1)) == choose(COMPETING, both(0.1, 5.0))


def test_limits_are_on_p99_and_bytes():
    found = entrant("a", 0.9, TREES, latency=2.0).found
    assert over(Choice(latency_ms=2.0, size_bytes=1_000), found) == ""
    said = over(Choice(latency_ms=1.0, size_bytes=999), found)
    assert said == "One row takes 2 ms at p99, and 1 ms are allowed. It has 1,000 bytes, and 999 are allowed."
    nothing = replace(found, latency_ms={"p99": float("nan")})
    assert over(Choice(latency_ms=1.0), nothing), "what is not known is not within a limit"


@pytest.mark.parametrize(
    ("lead", "said"),
    [
        (Estimate(value=0.1, low=0.05, high=0.2), "worse"),
        (Estimate(value=0.1, low=-0.05, high=0.2), "tie"),
        (Estimate(value=-0.1, low=-0.2, high=-0.05), "better"),
        (Estimate(value=0.5), "tie"),
        (Estimate(value=None), "tie"),
    ],
)
def test_without_an_interval_nothing_is_found_better(lead, said):
    assert verdict(lead) == said
    assert found_better(lead) == (said == "worse")


def test_over_folds_the_leads_of_each_fold_are_compared():
    model = replace(COMPETING, rivals=COMPETING.rivals[:1], folds=5, choice=Choice(test="folds"))
    trees = entrant("xgboost", 0.9, TREES, folds=(0.80, 0.82, 0.84, 0.86, None))
    level = entrant("linear", 0.7, SUM, folds=(0.81, 0.80, 0.85, 0.85, 0.1))
    below = entrant("linear", 0.9, SUM, folds=(0.70, 0.721, 0.74, 0.761, 0.9))
    assert choose(model, [trees, level])[0] == "linear"
    assert choose(model, [trees, below])[0] == "xgboost"


def test_the_more_families_compete_the_harder_one_is_found_better():
    """Each comparison has its share of the 5 %, so that one lucky family in many is not called better."""
    both = [entrant("trees", 0.90, TREES), entrant("sum", 0.865, SUM, seed=1)]
    others = [entrant(f"n{n}", 0.8, NET, seed=2 + n) for n in range(30)]
    assert choose(COMPETING, both)[0] == "trees"
    assert choose(COMPETING, [*both, *others])[0] == "sum"


def test_a_family_of_its_own_is_chosen_without_a_contest():
    found = train(replace(MODEL, family=XGBoost(max_rounds=10), tuner=TPE(trials=1)), Splits(), progress=quiet)
    assert (found.name, found.contest, found.folds) == ("xgboost", None, None)
    assert found.advice.endswith("trees first. XGBoost is that.")
