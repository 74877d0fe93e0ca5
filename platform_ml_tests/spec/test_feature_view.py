from dataclasses import replace

import pytest

from platform_ml.features import Recency
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Text
from platform_ml.testing.declarations import customer_profile, customers, lapse_view, lapsed, order_history, orders

SPENT = order_history.select("amount_sum_28d")
TEXTUAL = replace(customers, columns=(replace(customers.columns[0], type=Text()), *customers.columns[1:]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Lapse"}, "Feature view 'Lapse': a name is .* Try 'lapse'"),
        ({"features": ()}, "Feature view 'lapse_view' has no features"),
        (
            {"features": (order_history, SPENT)},
            "'lapse_view' has 'amount_sum_28d' from two places. Give one of them a prefix",
        ),
        ({"helpers": (SPENT,)}, "'lapse_view' has 'amount_sum_28d' from two places. Give one of them a prefix"),
        (
            {"label": replace(lapsed, name="amount_sum_28d")},
            "'lapse_view' has 'amount_sum_28d' from two places. Give one of them a prefix",
        ),
        (
            {"features": (replace(order_history, name="by_order", entity="order_id"),)},
            "'lapse_view', group 'by_order' describes 'order_id', but label 'lapsed' has no column 'order_id'",
        ),
        (
            {"helpers": (replace(customer_profile, source=TEXTUAL),)},
            "'lapse_view', group 'customer_profile': 'customer_id' is BIGINT here and VARCHAR in 'customer_profile'",
        ),
    ],
)
def test_a_wrong_view_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(lapse_view, **changes)


def test_the_model_sees_features_and_nothing_else():
    assert lapse_view.spine_names == ["customer_id", "event_time", "lapsed", "known_time"]
    assert lapse_view.feature_names == ["amount_sum_28d", "days_since_last_28d"]
    assert lapse_view.helper_names == ["country", "student"]


def test_helpers_do_not_count_for_the_look_back():
    far = replace(order_history, name="far", features=(Recency(days=300),))
    assert replace(lapse_view, helpers=(far,)).lookback_days == 28
    assert replace(lapse_view, features=(SPENT, far)).lookback_days == 300
    assert (
        replace(
            lapse_view, features=(replace(far, features=(*far.features, Recency(days=3))).select("days_since_last_3d"),)
        ).lookback_days
        == 3
    )


def test_a_group_that_is_taken_twice_is_one_group():
    view = replace(lapse_view, features=(SPENT, order_history.select("days_since_last_28d")))
    assert view.groups == (order_history, customer_profile)
    assert len(view.selections) == 3
    assert view.label.source == orders
