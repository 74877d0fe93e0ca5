"""The models that are compared, as projects declare them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from platform_ml import (
    Baseline,
    Boolean,
    Column,
    Daily,
    Double,
    Event,
    EventLabel,
    FeatureView,
    Source,
    Text,
    Timestamp,
    TrainingDataset,
    TunedModel,
)
from platform_ml.families import Majority, XGBoost
from platform_ml.formats import Parquet
from platform_ml.metrics import RocAuc
from platform_ml.projects.flights.delays import late_model
from platform_ml.projects.retail.churn import churn_model
from platform_ml.splitters import ByHash
from platform_ml.tuners import TPE

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = date(1990, 6, 1)
"""The data say no day: 1990 is the year of the study."""


def declared(name: str, said: dict[str, Any], *, trials: int, seed: int) -> TunedModel:
    """A dataset's model with so many trials; everything else is as its project has it.

    Folds and ablations are left out: nobody beside us fits them.
    """
    model = {"retail": churn_model, "flights": late_model}.get(name) or mortgage(said["features"])
    tuner = TPE(trials=trials or model.tuner.trials)
    return replace(model, tuner=tuner, seed=model.seed + seed, folds=None, ablations=())


def mortgage(features: Sequence[str]) -> TunedModel:
    """Whether an application is approved, from what was written in it."""
    applications = Source(
        name="applications",
        description="Applications for a mortgage in Boston, 1990.",
        format=Parquet(),
        columns=(
            Column("application", Text()),
            Column("applied_at", Timestamp()),
            Column("decided_at", Timestamp()),
            Column("approved", Boolean()),
            *(Column(name, Double(), nullable=True) for name in features),
        ),
        key=("application",),
        event_time="applied_at",
        cadence=Daily(first=DAY, last=DAY),
    )
    decision = EventLabel(
        name="approval",
        description="Whether the application is approved.",
        source=applications,
        entity="application",
        event=Event(value="approved", known="decided_at", horizon_days=1),
        attributes=tuple(features),
    )
    view = FeatureView(name="mortgage_view", description="Applications.", label=decision, features=())
    dataset = TrainingDataset(
        name="mortgage_dataset",
        description="Drawn by row.",
        view=view,
        splitter=ByHash(train=0.5, validation=0.2, test=0.3),
        history_days=30,
        random_split_because="The data say no day of an application.",
    )
    return TunedModel(
        name="mortgage_model",
        description="Boosted trees.",
        dataset=dataset,
        family=XGBoost(),
        tuner=TPE(trials=20),
        metric=RocAuc(),
        baselines=(Baseline(name="majority", family=Majority()),),
        seed=7,
    )
