from dataclasses import replace

import pytest

from platform_ml import Choice, Complexity, Rival
from platform_ml.families import Average, Linear, Majority, RandomForest, XGBoost
from platform_ml.spec.complexity import complexity_of
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.leader_board import LeaderBoard
from platform_ml.spec.project import upstream
from platform_ml.testing.declarations import lapse, lapse_card, lapse_evaluation, lapse_model, shop
from platform_ml.tuners import TPE

BOTH = replace(lapse_model, rivals=(Rival(family=Linear()), Rival(name="forest", family=RandomForest())))


def test_families_compete_under_their_names():
    assert list(BOTH.competitors) == ["xgboost", "linear", "forest"]
    assert list(lapse_model.competitors) == ["xgboost"]


def test_each_has_the_same_budget_unless_it_says_otherwise():
    short = TPE(trials=1)
    model = replace(lapse_model, rivals=(Rival(family=Linear()), Rival(family=RandomForest(), tuner=short)))
    assert [model.alone(name).tuner for name in model.competitors] == [model.tuner, model.tuner, short]


def test_alone_a_family_is_a_model_without_rivals_and_its_search_has_a_name_of_its_own():
    alone = BOTH.alone("forest")
    assert (alone.name, alone.family, alone.rivals) == ("lapse_model_forest", RandomForest(), ())
    assert BOTH.alone("xgboost") == lapse_model
    assert lapse_model.alone("xgboost") is lapse_model
    twice = replace(lapse_model, rivals=(Rival(name="again", family=lapse_model.family),))
    assert twice.alone("again").name == "lapse_model_again"


def test_a_model_without_rivals_means_what_it_meant():
    assert fingerprint(replace(lapse_model, rivals=(), choice=Choice(), folds=None)) == fingerprint(lapse_model)
    changed = [BOTH, replace(BOTH, choice=Choice(latency_ms=1.0)), replace(lapse_model, folds=5)]
    assert len({fingerprint(model) for model in [lapse_model, *changed]}) == 4


def test_families_say_how_simple_they_are():
    kinds = [complexity_of(family) for family in (Majority(), Linear(), RandomForest(), XGBoost())]
    assert kinds == [Complexity.RULE, Complexity.WEIGHTS, Complexity.TREES, Complexity.TREES]
    assert complexity_of(object()) is Complexity.MIXTURE
    assert all(one.title for one in Complexity)


def test_the_rule_is_a_sentence():
    assert Choice().says == "The simplest family that no other one is found better than."
    limits = Choice(latency_ms=5, size_bytes=10_000, complexity=Complexity.TREES).says
    assert "at most 5 ms at p99 for one row, at most 10,000 bytes, no less simple than trees" in limits


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"rivals": (Linear(),)}, r"rival Linear is a family alone. Use Rival\(family=Linear\(\)\)"),
        ({"rivals": (Rival(family=XGBoost(max_depth=3)),)}, "competing family 'xgboost' 2 times"),
        ({"rivals": (Rival(family=Average()),)}, "rival 'average' is for a label of numbers"),
        ({"rivals": (Rival(name="a b", family=Linear()),)}, "a name is lower_snake_case"),
        ({"choice": Choice(latency_ms=1)}, "has a choice, but no rivals"),
        ({"folds": 1}, "number is 1. Use 2 folds or more"),
        ({"rivals": BOTH.rivals, "choice": Choice(test="folds")}, "chooses by folds, but has none"),
        ({"rivals": BOTH.rivals, "choice": Choice(complexity=Complexity.RULE)}, "none of its families is as simple"),
    ],
)
def test_what_cannot_be_chosen_from_is_refused(change, complaint):
    with pytest.raises(DeclarationError, match=complaint):
        replace(lapse_model, **change)


@pytest.mark.parametrize("wrong", [{"latency_ms": 0}, {"size_bytes": -1}, {"test": "luck"}, {"resamples": 10}])
def test_a_choice_that_says_nothing_is_refused(wrong):
    with pytest.raises(DeclarationError, match="Choice: "):
        Choice(**wrong)


def test_a_project_has_a_leader_board_where_families_compete():
    card = replace(lapse_card, evaluation=replace(lapse_evaluation, model=BOTH))
    found = replace(shop, outputs=(replace(lapse, card=card),)).all(LeaderBoard)
    assert [board.name for board in found] == ["lapse_model_leader_board"]
    assert BOTH in upstream(found[0])
    assert shop.all(LeaderBoard) == ()
