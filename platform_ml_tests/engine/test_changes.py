"""What a change of declarations means for the assets: itself, what is made of it, and nothing for prose."""

import json
from dataclasses import replace

import dagster as dg
import pytest

from platform_ml.engine.changes import compare
from platform_ml.engine.declared import declared
from platform_ml.gates import AtLeast
from platform_ml_tests.orchestration.shop import (
    assets,
    customer_profile,
    lapse,
    lapse_card,
    lapse_evaluation,
    lapse_model,
    order_history,
    orders,
    shop,
    swapped,
)

NOW = declared([shop])


def after(old, new):
    return compare(NOW, declared([swapped(shop, old, new)]))


def names(*nouns):
    return {f"shop/{noun.name}" for noun in nouns}


def test_nothing_changes_by_itself():
    found = compare(json.loads(json.dumps(NOW)), NOW)
    assert (found.changed, found.added, found.removed, found.downstream, found.selection) == ({}, (), (), (), "")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (orders, replace(orders, description="Said otherwise.")),
        (lapse, replace(lapse, description="Said otherwise.")),
        (lapse_card, replace(lapse_card, limits="There are others.")),
    ],
    ids=["source", "registration", "card"],
)
def test_prose_changes_nothing(old, new):
    assert after(old, new).to_json() == compare(NOW, NOW).to_json()


def test_a_gate_changes_the_card_and_the_registration_and_nothing_that_is_upstream():
    found = after(lapse, replace(lapse, gates=(AtLeast(metric="roc_auc", limit=0.8),)))
    assert set(found.changed) == names(lapse, lapse_card)
    assert found.changed["shop/lapse"] == ("Registration.gates: AtLeast.limit: 0.7 → 0.8",)
    assert found.downstream == ()


def test_a_feature_changes_its_group_and_all_that_is_made_of_it():
    wider = replace(order_history, features=(*order_history.features, replace(order_history.features[0], days=6)))
    found = after(order_history, wider)
    assert set(found.changed) == names(order_history)
    assert names(lapse_model, lapse_evaluation, lapse_card, lapse) <= set(found.downstream)
    assert not names(orders, customer_profile) & set(found.downstream)
    made = [one for one in assets(shop) if isinstance(one, dg.AssetsDefinition)]
    chosen = dg.AssetSelection.from_string(found.selection).resolve(made)
    assert {key.to_user_string() for key in chosen} - {"shop/catalog"} == {*found.changed, *found.downstream}


def test_what_has_another_name_is_gone_and_new():
    found = after(order_history, replace(order_history, name="order_past"))
    assert (found.added, found.removed) == (("shop/order_past",), ("shop/order_history",))
    assert "shop/lapse_view" in found.changed  # it reads another asset now
    assert found.selection.startswith('key:"shop/lapse_view"+ or key:"shop/order_past"+')
