from dataclasses import replace
from datetime import timedelta

import pytest

from platform_ml import Retraining
from platform_ml.orchestration.build import project_assets
from platform_ml.orchestration.freshness import freshness
from platform_ml.spec.window import Daily, Weekly
from platform_ml.triggers import Every, NewLabels
from platform_ml_tests.orchestration.shop import (
    FIRST,
    customers,
    key,
    lapse,
    lapse_dataset,
    lapse_model,
    lapse_view,
    lapsed,
    order_history,
    orders,
    shop,
    swapped,
)

going_on = swapped(shop, orders.cadence, Daily(first=FIRST))


@pytest.mark.parametrize(("cadence", "days"), [(Daily(first=FIRST), 1), (Weekly(first=FIRST), 7)])
def test_a_partition_may_be_a_day_late_and_the_second_one_is_too_late(cadence, days):
    policy = freshness(replace(order_history, source=replace(orders, cadence=Daily(first=FIRST)), cadence=cadence))
    assert policy.warn_window.to_timedelta() == timedelta(days=days + 1)
    assert policy.fail_window.to_timedelta() == timedelta(days=2 * days + 1)


@pytest.mark.parametrize("noun", [orders, order_history, lapsed, lapse_view, customers, lapse_model, lapse])
def test_what_has_ended_and_what_has_no_cadence_does_not_grow_old(noun):
    assert freshness(noun) is None


def test_a_model_grows_old_where_its_retraining_says_how_often():
    monthly = replace(lapse, retraining=Retraining(when=(NewLabels(rows=5), Every(days=28))))
    assert freshness(monthly) is None
    open_end = swapped(monthly, lapsed.cadence, Weekly(first=lapsed.cadence.first))
    assert freshness(open_end).fail_window.to_timedelta() == timedelta(days=57)
    assert freshness(replace(open_end, retraining=Retraining(when=(NewLabels(rows=5),)))) is None


def test_the_assets_have_it():
    found = {asset.key: asset for asset in project_assets(going_on)}
    policies = {
        one: next(iter(found[key(one)].specs)).freshness_policy for one in (orders, customers, lapsed, lapse_dataset)
    }
    assert [policy is not None for policy in policies.values()] == [True, False, False, False]
