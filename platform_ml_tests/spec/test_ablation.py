from dataclasses import replace

import pytest

from platform_ml.spec.ablation import Without, groups
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.testing.declarations import customer_profile, lapse_dataset, lapse_model, lapse_view, order_history

SPENT, RECENCY = lapse_view.feature_names
WIDE = replace(lapse_view, features=(order_history, customer_profile), helpers=())


def test_a_group_is_all_of_its_features():
    assert isinstance(order_history, FeatureGroup)
    assert Without("order_history").left_out(WIDE) == (SPENT, RECENCY)
    assert groups(WIDE) == {"order_history": (SPENT, RECENCY), "customer_profile": ("country", "student")}


def test_a_group_in_several_roles_is_left_out_whole():
    twice = replace(WIDE, features=(order_history, order_history.role("late_"), customer_profile))
    assert len(Without("order_history").left_out(twice)) == 4


def test_what_it_is_called():
    assert Without(features=(SPENT, RECENCY), called="orders").name == "no_orders"
    assert Without("order_history", called="orders").name == "no_orders"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({}, "leaves nothing out"),
        ({"group": "orders", "features": ("a",)}, "names a group and features"),
        ({"features": ("a", "b")}, "say in called="),
        ({"features": ("a", "a"), "called": "c"}, "declares feature 'a' 2 times"),
        ({"features": ("a",), "called": "Not So"}, "Ablation 'no_Not So'"),
    ],
)
def test_a_wrong_one_cannot_be_made(wrong, complaint):
    with pytest.raises(DeclarationError) as error:
        Without(**wrong)
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    ("ablations", "complaint"),
    [
        ((Without("order_histori"),), "has no feature group that a model sees, 'order_histori'. Did you mean"),
        ((Without("customer_profile"),), "has no feature group that a model sees, 'customer_profile'"),
        ((Without(features=(RECENCY + "x",)),), f"Did you mean '{RECENCY}'"),
        ((Without("order_history"),), "leaves out all 2 features"),
        ((Without(features=(SPENT,)), Without(features=(SPENT,))), "declares baseline or ablation"),
    ],
)
def test_a_model_refuses_what_its_view_does_not_have(ablations, complaint):
    with pytest.raises(DeclarationError) as error:
        replace(lapse_model, ablations=ablations)
    assert complaint in str(error.value)
    assert lapse_dataset.view is lapse_view
