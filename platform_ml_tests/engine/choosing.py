"""A model of five features, one of them a text, and the rows that it is made of."""

from dataclasses import replace

import pyarrow as pa

from platform_ml.families import XGBoost
from platform_ml.features import Count, Field, Recency, Total
from platform_ml.selections import MutualInformation
from platform_ml.spec.feature_selection import FeatureSelection
from platform_ml.testing.declarations import customer_profile, lapse_dataset, lapse_model, lapse_view, order_history
from platform_ml.testing.families import invented
from platform_ml.testing.learners import with_shop
from platform_ml.tuners import TPE

history = replace(order_history, features=(Recency(days=28), Total(days=28, of="amount"), Count(days=28)))
profile = replace(customer_profile, features=(Field(of="student"), Field(of="country")))
DATASET = replace(lapse_dataset, view=replace(lapse_view, features=(history, profile), helpers=()))
RECENCY, SPENT, COUNT, STUDENT, COUNTRY = NAMES = DATASET.view.feature_names
MODEL = replace(
    lapse_model,
    dataset=DATASET,
    family=XGBoost(max_depth=3, max_rounds=30, early_stopping_rounds=5),
    tuner=TPE(trials=1),
    baselines=lapse_model.baselines[1:],
)
BEST = FeatureSelection(
    name="best_features", description="The best.", dataset=DATASET, method=MutualInformation(), keep=3
)
"""Keeps what the labels follow, and drops COUNT, which is noise, and STUDENT."""


def rows(seed, count=400):
    """The label follows recency, amount and country."""
    made = with_shop(invented(seed, rows=count), seed)
    columns = ["recency", "amount", "noise", "student", "shop"]
    return replace(made, features=made.features.select(columns).rename_columns(NAMES))


def with_column(given, name, values):
    place = given.features.column_names.index(name)
    return replace(given, features=given.features.set_column(place, name, pa.array(values)), cache={})


def quiet(text):
    """Tell nobody."""
