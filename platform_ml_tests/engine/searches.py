"""What a search shows and what becomes of it: a label of classes, and one that is ranked, on small invented data."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from platform_ml.engine.tracked import Recorded
from platform_ml.families import Majority, SingleFeature, XGBoost
from platform_ml.formats import Parquet
from platform_ml.gates import AtLeast, BeatsBaseline
from platform_ml.metrics import (
    NDCG,
    Accuracy,
    MacroF1,
    MacroRocAuc,
    MeanAveragePrecision,
    MeanReciprocalRank,
    MulticlassLogLoss,
)
from platform_ml.spec.evaluation import Evaluation
from platform_ml.spec.event_label import Event, EventLabel
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.registration import Registration
from platform_ml.spec.schema import Column, Double, Integer, Text, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.space import Whole
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.tuned_model import Baseline, TunedModel
from platform_ml.spec.window import Daily
from platform_ml.splitters import ByEntity, ByTime
from platform_ml.testing.declarations import lapse_card
from platform_ml.tuners import TPE
from platform_ml_tests.engine.rides import make
from platform_ml_tests.engine.shop import write

FIRST, LAST = date(2024, 3, 1), date(2024, 3, 8)
CUTOFF = str(LAST)

shown = Source(
    name="shown",
    description="Hotels that a search showed.",
    format=Parquet(),
    columns=(
        Column("result_id", Integer()),
        Column("search_id", Integer()),
        Column("shown_at", Timestamp()),
        Column("told_at", Timestamp()),
        Column("price", Double(), nullable=True),
        Column("stars", Integer()),
        Column("device", Text()),
        Column("action", Text()),
        Column("relevance", Integer()),
    ),
    key=("result_id",),
    event_time="shown_at",
    cadence=Daily(first=FIRST, last=LAST),
)
action = EventLabel(
    name="action_taken",
    description="What becomes of a hotel that was shown.",
    source=shown,
    entity="search_id",
    event=Event(value="action", known="told_at", horizon_days=1),
    attributes=("price", "stars"),
    carried=("device",),
)
relevant = replace(
    action,
    name="relevance_shown",
    description="How relevant a hotel is for a search: 0 ignored, 1 opened, 3 booked.",
    event=replace(action.event, value="relevance"),
    ranked_within="search_id",
)
action_view = FeatureView(name="action_view", description="Hotels when they are shown.", label=action, features=())
relevant_view = replace(action_view, name="relevant_view", label=relevant)
action_dataset = TrainingDataset(
    name="action_dataset",
    description="A week.",
    view=action_view,
    splitter=ByTime(validation_days=1, gap_days=1, test_days=2),
    history_days=8,
)
relevant_dataset = replace(
    action_dataset,
    name="relevant_dataset",
    view=relevant_view,
    splitter=ByEntity(seed=3),
    random_split_because="Searches do not depend on each other.",
)
action_model = TunedModel(
    name="action_model",
    description="What will become of it.",
    dataset=action_dataset,
    family=XGBoost(
        max_depth=Whole(2, 4),
        learning_rate=0.3,
        min_child_weight=1.0,
        subsample=1.0,
        colsample_bytree=1.0,
        reg_lambda=1.0,
        reg_alpha=0.01,
        max_rounds=25,
        early_stopping_rounds=5,
    ),
    tuner=TPE(trials=2),
    metric=MulticlassLogLoss(),
    baselines=(Baseline(name="majority", family=Majority()),),
)
relevant_model = replace(
    action_model,
    name="relevant_model",
    description="Which hotel to show first.",
    dataset=relevant_dataset,
    metric=NDCG(),
    baselines=(Baseline(name="cheapest", family=SingleFeature(feature="price", descending=True)),),
)
action_evaluation = Evaluation(
    name="action_evaluation",
    description="By class.",
    model=action_model,
    metrics=(MulticlassLogLoss(), Accuracy(), MacroF1(), MacroRocAuc()),
    slices=("device",),
    resamples=50,
)
relevant_evaluation = Evaluation(
    name="relevant_evaluation",
    description="By search.",
    model=relevant_model,
    metrics=(NDCG(), MeanAveragePrecision(), MeanReciprocalRank()),
    slices=("device",),
    resamples=50,
)
of_classes = Registration(
    name="actions",
    description="What will become of hotels that are shown.",
    card=replace(lapse_card, name="action_card", evaluation=action_evaluation, title="What becomes of it"),
    gates=(
        AtLeast(metric="macro_f1", limit=0.6),
        BeatsBaseline(baseline="majority", metric="multiclass_log_loss", by=0.05),
    ),
)
of_rankings = Registration(
    name="relevances",
    description="The order in which hotels are shown.",
    card=replace(lapse_card, name="relevant_card", evaluation=relevant_evaluation, title="What is shown first"),
    gates=(
        AtLeast(metric="ndcg_at_10", limit=0.7),
        BeatsBaseline(baseline="cheapest", metric="ndcg_at_10", by=0.01),
    ),
)
ROW = pa.schema(
    {
        name: {"BIGINT": pa.int64(), "VARCHAR": pa.string(), "DOUBLE": pa.float64()}.get(kind.sql, pa.timestamp("us"))
        for name, kind in shown.types.items()
    }
)


def invented(seed=1, a_day=30):
    """Searches of 2 to 9 hotels; cheap ones with many stars are opened, the best of them booked."""
    draw = np.random.default_rng(seed)
    rows = []
    for day in shown.cadence.keys():
        for search in range(a_day):
            at = datetime.fromisoformat(day) + timedelta(seconds=int(draw.integers(1, 80_000)))
            device = str(draw.choice(["phone", "desk"]))
            for _ in range(draw.integers(2, 10)):
                price, stars = float(draw.gamma(4, 25)), int(draw.integers(1, 6))
                worth = stars - price / 40 + draw.normal(0, 0.4)
                place = 2 if worth > 2 else 1 if worth > 0 else 0
                rows.append(
                    {
                        "result_id": len(rows),
                        "search_id": int(day[-2:]) * 1000 + search,
                        "shown_at": at,
                        "told_at": at + timedelta(hours=1),
                        "price": None if draw.random() < 0.05 else price,
                        "stars": stars,
                        "device": device,
                        "action": ("ignored", "opened", "booked")[place],
                        "relevance": (0, 1, 3)[place],
                    }
                )
    return rows


def deliver(work, rows):
    """From files to both views."""
    for day in shown.cadence.keys():
        found = [row for row in rows if str(row["shown_at"].date()) == day]
        write(work, shown, day, pa.Table.from_pylist(found, schema=ROW))
    for noun in (shown, action, relevant, action_view, relevant_view):
        assert make(work, noun) == []


@dataclass
class Notes:
    """A tracker in memory, which keeps what it was told and the files as they were."""

    runs: list = field(default_factory=list)
    files: dict = field(default_factory=dict)

    def record(self, run):
        """Keep a run."""
        self.runs.append(run)
        self.files |= {name: Path(file).read_bytes() for name, file in run.artifacts.items()}
        return Recorded(run_id=f"run-{len(self.runs)}")
