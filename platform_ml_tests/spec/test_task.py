from dataclasses import replace

import pytest

from platform_ml.families import Persistence, SingleFeature, XGBoost
from platform_ml.metrics import MAE, RocAuc
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import meaning
from platform_ml.spec.schema import Boolean, Decimal, Double, Integer, Text, Timestamp
from platform_ml.spec.task import BINARY, MULTICLASS, RANKING, REGRESSION, task_of
from platform_ml.spec.tuned_model import Baseline
from platform_ml.testing.declarations import lapse_evaluation, lapse_model, spend_model, spent
from platform_ml_tests.engine.searches import action, action_dataset, relevant, relevant_dataset, relevant_view


@pytest.mark.parametrize("kind", [Integer(), Decimal(9, 2), Double()], ids=str)
def test_numbers_are_regressed(kind):
    assert task_of("Label 'spent'", kind) is REGRESSION


def test_true_and_false_are_told_apart():
    assert task_of("Label 'lapsed'", Boolean()) is BINARY
    assert lapse_model.task is BINARY
    assert spend_model.task is REGRESSION


def test_texts_are_classes():
    assert task_of("Label 'action'", Text()) is MULTICLASS


@pytest.mark.parametrize("kind", [Integer(), Double(), Boolean()], ids=str)
def test_what_is_ranked_within_groups_is_a_relevance(kind):
    assert task_of("Label 'relevance'", kind, "search_id") is RANKING
    with pytest.raises(DeclarationError, match="its label is VARCHAR, but ranks need a number or a Boolean"):
        task_of("Label 'relevance'", Text(), "search_id")


def test_a_label_is_ranked_within_one_of_its_columns():
    assert replace(relevant, ranked_within="device").task is RANKING
    assert replace(spent, ranked_within="event_time").task is RANKING
    with pytest.raises(DeclarationError, match=r"no column to rank within 'serch_id'.*Did you mean 'search_id'"):
        replace(relevant, ranked_within="serch_id")
    with pytest.raises(DeclarationError, match="no column to rank within 'known_time'"):
        replace(spent, ranked_within="known_time")
    with pytest.raises(DeclarationError, match="ranks need a number or a Boolean"):
        replace(action, ranked_within="search_id")


def test_a_label_that_is_not_ranked_means_what_it_meant():
    assert "ranked_within" not in str(meaning(spent))
    assert "ranked_within" in str(meaning(replace(spent, ranked_within="event_time")))


def test_moments_are_kept_together_by_time_alone():
    view = replace(relevant_view, label=replace(relevant, ranked_within="event_time"))
    with pytest.raises(DeclarationError, match=r"within 'event_time', but ByEntity draws single rows.*Use a splitter"):
        replace(relevant_dataset, view=view)
    by_time = replace(relevant_dataset, view=view, splitter=action_dataset.splitter, random_split_because=None)
    assert by_time.view.label.task is RANKING


@pytest.mark.parametrize("kind", [Timestamp()], ids=str)
def test_nothing_learns_other_labels(kind):
    with pytest.raises(DeclarationError, match=r"Label 'x': its label is \w+, which no model here learns. Make it"):
        task_of("Label 'x'", kind)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric": RocAuc()}, "Model 'spend_model': metric 'roc_auc' is for a binary label, but this one has a label"),
        ({"family": XGBoost(loss="log")}, "family 'xgboost' is for a binary label, but this one has a label of number"),
        (
            {"baselines": (Baseline(name="old", family=SingleFeature(feature="days_since_last_28d")),)},
            "baseline 'old' is for a binary label or a label that is ranked within groups, but this one has",
        ),
    ],
)
def test_parts_for_other_labels_are_refused(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(spend_model, **changes)


def test_parts_for_numbers_do_not_fit_a_binary_label():
    with pytest.raises(DeclarationError, match="metric 'mae' is for a label of numbers, but this one has a binary"):
        replace(lapse_model, metric=MAE())
    old = Baseline(name="old", family=Persistence(feature="amount_sum_28d"))
    with pytest.raises(DeclarationError, match="baseline 'old' is for a label of numbers"):
        replace(lapse_model, baselines=(old,))
    with pytest.raises(DeclarationError, match="Evaluation 'lapse_evaluation': metric 'mae' is for a label of numbers"):
        replace(lapse_evaluation, metrics=(MAE(),))
