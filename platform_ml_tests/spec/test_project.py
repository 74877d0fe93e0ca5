from dataclasses import replace

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group import FeatureGroup, Lookup
from platform_ml.spec.label import Label
from platform_ml.spec.project import upstream
from platform_ml.spec.source import Source
from platform_ml.testing.declarations import customers, lapse, lapse_evaluation, order_history, orders, shop


def test_everything_upstream_is_found_each_once_and_first():
    names = [noun.name for noun in shop.nouns]
    assert names == [
        "orders",
        "lapsed",
        "order_history",
        "customers",
        "customer_profile",
        "lapse_view",
        "lapse_dataset",
        "lapse_model",
        "lapse_evaluation",
        "lapse_card",
        "lapse",
    ]
    for number, noun in enumerate(shop.nouns):
        assert all(parent in shop.nouns[:number] for parent in upstream(noun))


def test_an_output_that_is_upstream_of_another_is_there_once():
    again = replace(shop, outputs=(order_history, lapse, order_history))
    assert set(noun.name for noun in again.nouns) == {noun.name for noun in shop.nouns}  # noqa: C401
    assert len(again.nouns) == len(shop.nouns)


def test_lookups_are_upstream():
    group = replace(order_history, name="by_country", lookups=(Lookup(source=customers, columns=("country",)),))
    assert upstream(group) == (orders, customers)


def test_nouns_of_one_kind():
    assert [noun.name for noun in shop.all(Source)] == ["orders", "customers"]
    assert [noun.name for noun in shop.all(FeatureGroup)] == ["order_history", "customer_profile"]
    assert [noun.name for noun in shop.all(Label)] == ["lapsed"]


def test_an_evaluation_reads_the_model_and_its_dataset():
    assert upstream(lapse_evaluation) == (lapse_evaluation.model, lapse_evaluation.model.dataset)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "The Shop"}, "Project 'The Shop': a name is .* Try 'the_shop'"),
        ({"owner": "somebody"}, "Project 'shop': owner 'somebody' is no e-mail address or 'team:name'"),
        (
            {"outputs": (lapse, replace(order_history, name="orders"))},
            "Project 'shop' uses the name 'orders' for two things: Source and FeatureGroup",
        ),
        (
            {"outputs": (lapse, replace(order_history, name="more", source=replace(orders, max_rejected_share=1)))},
            "Project 'shop' uses the name 'orders' for two things: Source and Source",
        ),
    ],
)
def test_a_wrong_project_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(shop, **changes)


@pytest.mark.parametrize("owner", ["team:shop", "a@example.org"])
def test_who_can_own_it(owner):
    assert replace(shop, owner=owner).owner == owner


def test_a_demo_can_leave_out_an_output_with_all_that_only_it_is_made_of():
    apart = replace(order_history, name="apart", source=replace(orders, name="other_orders"))
    project = replace(shop, outputs=(lapse, apart), demo_without=(apart,))
    left_out = [noun.name for noun in project.nouns if noun not in project.demo.nouns]
    assert left_out == ["other_orders", "apart"]
    assert project.demo.nouns == shop.nouns
    with pytest.raises(DeclarationError, match="Project 'shop': 'apart' is no output, so a demo cannot leave it out"):
        replace(shop, demo_without=(apart,))


def test_a_demo_shows_no_refusal_of_what_is_no_output():
    other = replace(lapse, name="other")
    assert replace(shop, demo_refused=(lapse,)).demo.demo_refused == (lapse,)
    with pytest.raises(DeclarationError, match="Project 'shop': 'other' is no output, so no demo can show it refused"):
        replace(shop, demo_refused=(other,))
