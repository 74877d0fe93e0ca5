from dataclasses import replace

import pytest

from platform_ml.outcomes import NoEvent, Total
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group import Derived
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.schema import Double, Integer
from platform_ml.spec.window import Weekly
from platform_ml.testing.declarations import customers, lapsed, orders


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Lapsed?"}, "Label 'Lapsed.': a name is lower_snake_case .* Try 'lapsed'"),
        ({"entity": "custmer_id"}, r"Label 'lapsed' has no column 'custmer_id'. Did you mean 'customer_id'\?"),
        ({"source": customers}, "Label 'lapsed': source 'customers' has no event time, so nothing comes after"),
        (
            {"source": replace(orders, cadence=Weekly(first=orders.cadence.first))},
            "Label 'lapsed': source 'orders' must be daily to cut horizons by day",
        ),
        ({"outcome": Total(of="worth", days=7)}, "Label 'lapsed' has no column 'worth'"),
        (
            {"derived": (Derived(name="amount", sql="1", type=Integer()),)},
            "Label 'lapsed' declares column 'amount' 2 times",
        ),
        ({"outcome": NoEvent(days=0)}, "Label 'lapsed': a horizon has at least 1 day, not 0"),
        ({"seen_within_days": 0}, "Label 'lapsed': seen_within_days is 0; use 1 or more, or None"),
        ({"name": "event_time"}, "Label 'event_time' declares column 'event_time' 2 times. Rename or drop one"),
        ({"name": "known_time"}, "declares column 'known_time' 2 times"),
        ({"name": "customer_id"}, "declares column 'customer_id' 2 times"),
    ],
)
def test_a_wrong_label_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        replace(lapsed, **changes)


def test_it_looks_as_far_ahead_as_its_outcome():
    assert lapsed.horizon_days == 14


def test_an_outcome_may_be_made_of_derived_columns():
    worth = Derived(name="worth", sql="2 * amount", type=Integer())
    label = replace(lapsed, derived=(worth,), outcome=Total(of="worth", days=7))
    assert label.type == Double()
    assert fingerprint(label) != fingerprint(replace(label, derived=(replace(worth, sql="3 * amount"),)))
