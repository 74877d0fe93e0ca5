import json
from dataclasses import replace
from datetime import timedelta

import pytest

from platform_ml.features import Exists, Field
from platform_ml.outliers import MedianDeviation, Tukey
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.history import History
from platform_ml.spec.quality import MEANINGS, READY, SCORE, FeatureQuality, PartitionQuality, Quality
from platform_ml.spec.schema import Boolean, Double, Integer, Text
from platform_ml.testing.declarations import customer_profile, lapse_view, lapsed, order_history

SCORED = replace(order_history, quality=Quality(outliers=Tukey()))
ADDED = ["feature_missing_share", "feature_outlier_share", "feature_quality_score", "is_training_ready"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ready_at": 1.1}, "Quality: ready_at is 1.1, not between 0 and 1"),
        ({"ready_at": float("nan")}, "Quality: ready_at is nan"),
        ({"outlier_weight": -0.1}, "Quality: outlier_weight is -0.1, not between 0 and 1"),
        ({"min_values": 0}, "Quality: min_values is 0: limits need at least 1 value"),
        ({"of": ("a", "a")}, "Quality declares feature 'a' 2 times"),
    ],
)
def test_a_wrong_quality_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        Quality(**changes)


def test_a_quality_fits_its_group():
    with pytest.raises(DeclarationError, match=r"has no feature 'amount_sum_27d'. Did you mean 'amount_sum_28d'\?"):
        replace(order_history, quality=Quality(of=("amount_sum_27d",)))
    with pytest.raises(DeclarationError, match="declares column 'is_training_ready' 2 times"):
        replace(customer_profile, features=(Exists(called=READY),), quality=Quality())


def test_events_have_no_quality():
    with pytest.raises(DeclarationError, match="used one by one, each from its own moment on, so it would look ahead"):
        replace(
            order_history,
            features=(Field(of="amount"),),
            history=History(ttl=timedelta(days=1)),
            quality=Quality(),
        )


def test_its_columns_come_last_and_are_no_features():
    assert list(SCORED.columns) == [*order_history.columns, *ADDED]
    assert [SCORED.columns[name] for name in ADDED] == [Double(), Double(), Double(), Boolean()]
    assert SCORED.features == order_history.features
    assert list(SCORED.role().columns) == [feature.name for feature in order_history.features]
    view = replace(lapse_view, features=(SCORED,))
    assert view.feature_names == [feature.name for feature in order_history.features]


def test_a_view_takes_them_by_name_only():
    view = FeatureView(
        name="view",
        description="A view.",
        label=lapsed,
        features=(SCORED.select("amount_sum_28d", SCORE),),
        helpers=(SCORED.select(READY).role("history_"),),
    )
    assert view.feature_names == ["amount_sum_28d", SCORE]
    assert view.helper_names == ["history_is_training_ready"]
    assert view.meanings[SCORE] == MEANINGS[SCORE]
    assert view.joined[SCORE][1].result({}) == Double()
    with pytest.raises(DeclarationError, match="has no feature 'feature_quality_score'"):
        order_history.select(SCORE)


def test_only_numbers_have_outliers():
    kinds = {"a": Integer(), "b": Text(), "c": Double(), "d": Boolean()}
    assert Quality(outliers=Tukey()).scored(kinds) == {"a": True, "b": False, "c": True, "d": False}
    assert Quality(outliers=Tukey(), of=("c", "b")).scored(kinds) == {"b": False, "c": True}
    assert not any(Quality().scored(kinds).values())


def test_without_it_a_group_means_what_it_meant_before():
    """Whoever changes this number makes the tables of every project stale."""
    assert fingerprint(order_history) == "722d78ef2af5f25a28ffdc37c2b89f8a68bace2516dafaa3866dc6ad3d087aee"


def test_every_setting_is_part_of_the_meaning():
    others = [
        Quality(),
        Quality(outliers=Tukey()),
        Quality(outliers=MedianDeviation()),
        Quality(outliers=Tukey(1.5)),
        Quality(ready_at=0.9),
        Quality(outlier_weight=1),
        Quality(min_values=5),
        Quality(of=("amount_sum_28d",)),
    ]
    prints = {fingerprint(replace(order_history, quality=one)) for one in [None, *others]}
    assert len(prints) == len(others) + 1


def test_text_and_back():
    features = {
        "a": FeatureQuality(missing=0.25, outlying=0.5, low=-1.0, high=2.0),
        "b": FeatureQuality(missing=1.0, outlying=0.0),
    }
    one = PartitionQuality(
        score=0.5, ready=False, ready_share=0.25, missing_share=0.625, outlier_share=0.25, features=features
    )
    none = PartitionQuality(score=None, ready=None, ready_share=None, missing_share=None, outlier_share=None)
    for quality in (one, none):
        assert PartitionQuality.from_json(json.loads(json.dumps(quality.to_json(), allow_nan=False))) == quality
