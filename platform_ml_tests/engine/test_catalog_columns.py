from dataclasses import replace

import pytest

from platform_ml.engine.catalog import KINDS
from platform_ml.engine.catalog_columns import FEATURE, HELPER, KEY, LABEL, SCORE, TIME, columns, facts
from platform_ml.outliers import Tukey
from platform_ml.projects import PROJECTS
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.quality import Quality
from platform_ml.spec.schema import Column, Integer, Text
from platform_ml_tests.engine.rides import late_view
from platform_ml_tests.engine.rides import project_of as rides_of
from platform_ml_tests.engine.shop import SHOP, customer_profile, lapse_view, lapsed, order_history, order_weeks, orders

RIDES = rides_of(late_view)


def of(noun, project=SHOP):
    return {column.name: column for column in columns(noun, project, None)}


def test_a_source():
    priced = replace(orders, columns=(*orders.columns, Column("kind", Text(), nullable=True, allowed=("a", "b")),
                                      Column("size", Integer(), minimum=1, maximum=1_000)))  # fmt: skip
    found = of(priced)
    assert [column.role for column in found.values()] == [KEY, "", "", TIME, "", ""]
    assert (found["amount"].type, found["amount"].unit, found["amount"].rule) == ("decimal(9, 2)", "EUR", "at least 0")
    assert found["kind"].rule == "may be null, one of a, b"
    assert found["size"].rule == "at least 1, at most 1,000"


def test_a_group_with_scores():
    found = of(replace(order_history, quality=Quality(outliers=Tukey())))
    assert {name: column.role for name, column in found.items()} == {
        "customer_id": KEY,
        "event_time": TIME,
        "amount_sum_28d": FEATURE,
        "days_since_last_28d": FEATURE,
        "bought_lately": FEATURE,
        "feature_missing_share": SCORE,
        "feature_outlier_share": SCORE,
        "feature_quality_score": SCORE,
        "is_training_ready": SCORE,
    }
    total, recency = found["amount_sum_28d"], found["days_since_last_28d"]
    assert (total.type, total.unit, total.lookback, total.meaning) == (
        "double", "EUR", "28 d", "Sum of amount over the last 28 days.",
    )  # fmt: skip
    assert (recency.type, recency.unit) == ("integer", "days")
    assert (found["is_training_ready"].type, found["is_training_ready"].lookback) == ("boolean", "")


def test_which_views_use_a_feature():
    chosen = replace(lapse_view, features=(order_history.select("amount_sum_28d"), order_weeks))
    dataset = replace(SHOP.outputs[0].card.evaluation.model.dataset, view=chosen)
    card = SHOP.outputs[0].card
    model = replace(card.evaluation.model, dataset=dataset, baselines=card.evaluation.model.baselines[:1])
    evaluation = replace(card.evaluation, model=model)
    project = replace(SHOP, outputs=(replace(SHOP.outputs[0], card=replace(card, evaluation=evaluation)),))
    found = of(order_history, project)
    assert found["amount_sum_28d"].used_by == ("lapse_view",)
    assert found["days_since_last_28d"].used_by == ()


def test_a_label_and_a_view():
    label, view = of(lapsed), of(lapse_view)
    assert [(name, column.role) for name, column in label.items()] == [
        ("customer_id", KEY), ("event_time", TIME), ("lapsed", LABEL), ("known_time", TIME),
    ]  # fmt: skip
    assert list(view) == lapse_view.columns
    assert (view["amount_sum_28d"].origin, view["amount_sum_28d"].role) == ("order_history", FEATURE)
    assert (view["country"].origin, view["country"].role) == ("customer_profile", HELPER)
    assert view["lapsed"].origin == "lapsed"


@pytest.mark.parametrize(
    ("project", "noun"),
    [(project, noun) for project in (*PROJECTS, SHOP, RIDES) for noun in project.nouns if type(noun) in KINDS],
    ids=lambda one: one.name,
)
def test_every_declaration_can_be_described(project, noun):
    found = columns(noun, project, None)
    assert len({column.name for column in found}) == len(found)
    assert all(column.name and column.type for column in found)
    if isinstance(noun, FeatureGroup):
        assert [column.name for column in found if column.role == FEATURE] == [one.name for one in noun.features]
    if isinstance(noun, FeatureGroup | FeatureView):
        assert all(column.meaning for column in found if column.role == FEATURE and column.origin != "late")
    if isinstance(noun, FeatureView):
        named = [column.name for column in found if column.role == FEATURE]
        assert sorted(named) == sorted(noun.feature_names)
    assert all(value for value in facts(noun).values())


def test_events_without_end_look_back_for_ever():
    named = {column.lookback for noun in RIDES.all(FeatureGroup) for column in columns(noun, RIDES, None)}
    assert named >= {"", "1 d"}
    (label,) = RIDES.all(EventLabel)
    assert [column.name for column in columns(label, RIDES, None)] == list(label.columns)


def test_what_a_group_says_of_itself():
    said = facts(replace(order_history, quality=Quality(outliers=Tukey(), of=("amount_sum_28d",))))
    assert said["About"] == "customer_id"
    assert said["Quality"].startswith("1 of 3 features are scored; ready from 0.8 on. Usual is up to 3 times")
    assert facts(customer_profile)["Cadence"] == "none: one partition"
    assert facts(replace(customer_profile, quality=Quality()))["Quality"].endswith("Only missing values count.")
