from dataclasses import replace

import pytest

from platform_ml.engine.declaration_diff import declaration_changes
from platform_ml.features import Count
from platform_ml.spec.fingerprint import meaning
from platform_ml.splitters import ByTime
from platform_ml_tests.engine.shop import lapse_dataset, lapse_view, order_history, order_weeks, orders

TOTAL, *REST = order_history.features


def on_history(**changes):
    history = replace(order_history, **changes)
    return replace(lapse_dataset, view=replace(lapse_view, features=(history, order_weeks)))


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        (lapse_dataset, []),
        (replace(lapse_dataset, description="Other words."), []),
        (replace(lapse_dataset, history_days=100), ["TrainingDataset lapse_dataset: history_days: 126 → 100"]),
        (
            replace(lapse_dataset, splitter=ByTime(validation_days=7)),
            ["TrainingDataset lapse_dataset: splitter: ByTime.validation_days: 14 → 7"],
        ),
        (
            on_history(features=(replace(TOTAL, days=14), *REST)),
            ["FeatureGroup order_history: features: Total.days: 28 → 14"],
        ),
        (
            on_history(features=(TOTAL, *REST, Count(days=3))),
            ["FeatureGroup order_history: features: Count(days=3) is new"],
        ),
        (on_history(features=(*REST, TOTAL)), ["FeatureGroup order_history: features: the order changed"]),
    ],
)
def test_what_changed_and_where(dataset, expected):
    found = declaration_changes(meaning(lapse_dataset), meaning(dataset))
    assert [text.replace(", of=amount", "").replace("days=3, called=null", "days=3") for text in found] == expected


def test_a_change_that_many_read_is_told_once():
    column = replace(orders.columns[2], maximum=10)
    source = replace(orders, columns=(*orders.columns[:2], column, *orders.columns[3:]))
    view = replace(
        lapse_view,
        label=replace(lapse_view.label, source=source),
        features=(replace(order_history, source=source), replace(order_weeks, source=source)),
    )
    found = declaration_changes(meaning(lapse_dataset), meaning(replace(lapse_dataset, view=view)))
    assert found == [f"Source orders: columns: Column.maximum: {orders.columns[2].maximum or 'null'} → 10"]


def test_another_kind_is_another_thing():
    then, now = meaning(TOTAL), meaning(Count(days=28))
    new, gone = declaration_changes({"features": [then]}, {"features": [now]})
    assert (gone[:17], gone[-7:]) == (".features: Total(", "is gone")
    assert (new[:24], new[-6:]) == (".features: Count(days=28", "is new")
    assert declaration_changes({"a": 1}, {"b": 2}) == [".a: 1 is gone", ".b: 2 is new"]
