from dataclasses import replace

import pytest

from platform_ml.outcomes import NoEvent
from platform_ml.spec.errors import DeclarationError
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
