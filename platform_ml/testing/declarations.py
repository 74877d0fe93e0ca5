"""The smallest project that has everything, to test with; vary it with `dataclasses.replace`."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from platform_ml.families import Average, Majority, Persistence, SingleFeature, XGBoost
from platform_ml.features import Field, Recency, Total
from platform_ml.formats import Parquet
from platform_ml.gates import AtLeast, AtMost, BeatsBaseline, SlicesWithin
from platform_ml.metrics import MAE, R2, RMSE, LogLoss, RocAuc
from platform_ml.outcomes import NoEvent
from platform_ml.outcomes import Total as Sum
from platform_ml.spec.evaluation import BaselineScore, Estimate, Evaluation, EvaluationResult, Slice, SplitScore
from platform_ml.spec.evidence import ALL, Compared, Evidence
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.label import Label
from platform_ml.spec.model_card import ModelCard
from platform_ml.spec.project import Project
from platform_ml.spec.registration import Registration
from platform_ml.spec.schema import Boolean, Column, Decimal, Integer, Text, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.tuned_model import Baseline, TunedModel
from platform_ml.spec.window import Daily, Weekly
from platform_ml.splitters import ByTime
from platform_ml.tuners import TPE

CUTOFF = date(2024, 6, 10)

orders = Source(
    name="orders",
    description="What customers bought.",
    format=Parquet(),
    columns=(
        Column("order_id", Integer()),
        Column("customer_id", Integer()),
        Column("amount", Decimal(9, 2), unit="EUR", minimum=0),
        Column("ordered_at", Timestamp()),
    ),
    key=("order_id",),
    event_time="ordered_at",
    cadence=Daily(first=date(2024, 1, 1), last=date(2024, 6, 30)),
)

customers = Source(
    name="customers",
    description="Who they are.",
    format=Parquet(),
    columns=(
        Column("customer_id", Integer()),
        Column("country", Text(), nullable=True),
        Column("student", Boolean(), nullable=True),
    ),
    key=("customer_id",),
)

order_history = FeatureGroup(
    name="order_history",
    description="How much and how lately a customer bought.",
    source=orders,
    entity="customer_id",
    cadence=orders.cadence,
    features=(Total(days=28, of="amount"), Recency(days=28)),
)

customer_profile = FeatureGroup(
    name="customer_profile",
    description="What a customer said.",
    source=customers,
    entity="customer_id",
    features=(Field(of="country"), Field(of="student")),
)

lapsed = Label(
    name="lapsed",
    description="Whether a customer orders nothing for two weeks.",
    source=orders,
    entity="customer_id",
    outcome=NoEvent(days=14),
    cadence=Weekly(first=date(2024, 1, 29), last=CUTOFF),
)

lapse_view = FeatureView(
    name="lapse_view",
    description="Customers on Mondays.",
    label=lapsed,
    features=(order_history,),
    helpers=(customer_profile,),
)

lapse_dataset = TrainingDataset(
    name="lapse_dataset",
    description="Mondays up to a cutoff.",
    view=lapse_view,
    splitter=ByTime(validation_days=14),
    history_days=126,
)

lapse_model = TunedModel(
    name="lapse_model",
    description="Boosted trees.",
    dataset=lapse_dataset,
    family=XGBoost(),
    tuner=TPE(trials=2),
    metric=RocAuc(),
    baselines=(
        Baseline(name="recency", family=SingleFeature(feature="days_since_last_28d")),
        Baseline(name="majority", family=Majority()),
    ),
)

lapse_evaluation = Evaluation(
    name="lapse_evaluation",
    description="By ranking and by probability.",
    model=lapse_model,
    metrics=(RocAuc(), LogLoss()),
    slices=("country", "student"),
    resamples=200,
)

lapse_card = ModelCard(
    name="lapse_card",
    evaluation=lapse_evaluation,
    title="Customers who lapse",
    intended_use="Choose whom to write to.",
    out_of_scope="Anything else.",
    data="Invented.",
    limits="Half a year.",
    ethics="Nobody is harmed by a letter.",
)

lapse = Registration(
    name="lapse",
    description="The model in use.",
    card=lapse_card,
    gates=(
        AtLeast(metric="roc_auc", limit=0.7),
        BeatsBaseline(baseline="recency", metric="roc_auc", by=0.02),
        SlicesWithin(metric="roc_auc", margin=0.1),
    ),
)

spent = replace(lapsed, name="spent", description="What a customer spends.", outcome=Sum(of="amount", days=14))

spend_view = replace(lapse_view, name="spend_view", label=spent)

spend_dataset = replace(lapse_dataset, name="spend_dataset", view=spend_view)

spend_model = replace(
    lapse_model,
    name="spend_model",
    dataset=spend_dataset,
    family=XGBoost(loss="absolute"),
    metric=MAE(),
    baselines=(
        Baseline(name="as_before", family=Persistence(feature="amount_sum_28d")),
        Baseline(name="average", family=Average()),
    ),
)

spend_evaluation = replace(
    lapse_evaluation, name="spend_evaluation", model=spend_model, metrics=(MAE(), RMSE(), R2()), slices=("country",)
)

spend_card = replace(lapse_card, name="spend_card", evaluation=spend_evaluation, title="What customers spend")

spend = Registration(
    name="spend",
    description="The same of a label of numbers.",
    card=spend_card,
    gates=(AtMost(metric="mae", limit=50.0), BeatsBaseline(baseline="as_before", metric="mae", by=1.0)),
)

shop = Project(name="shop", description="An invented shop.", owner="team:shop", outputs=(lapse,), demo_cutoff=CUTOFF)


def slice_of(value: str, *, gap: Estimate, rows: int = 400) -> Slice:
    """The test rows of one country."""
    auc = Estimate(value=None if gap.value is None else 0.8 + gap.value)
    metrics = {"roc_auc": auc, "log_loss": Estimate(value=0.5)}
    return Slice(column="country", value=value, rows=rows, mean=0.25, metrics=metrics, gap=gap)


def beside(
    value_of: str,
    value: float | None,
    *,
    error: float,
    reference: float = 0.8,
    measure: str = "roc_auc",
    rows: int = 400,
    against: str = ALL,
) -> Compared:
    """A number of the test rows of one country beside that of all, or of the rest, known to a standard error."""
    return Compared(
        measure=measure,
        column="country",
        value_of=value_of,
        against=against,
        rows=rows,
        entities=rows,
        reference_rows=800,
        reference_entities=800,
        value=value,
        reference=reference,
        variance=error**2,
        reference_variance=0.0,
        covariance=0.0,
    )


GOOD_AUC = Estimate(value=0.8, low=0.75, high=0.85)
GOOD_LOSS = Estimate(value=0.5, low=0.4, high=0.6)
GOOD_LEAD = Estimate(value=0.1, low=0.05, high=0.15)
GOOD_SLICES = (
    slice_of("AT", gap=Estimate(value=0.01, low=-0.04, high=0.06)),
    slice_of("CH", gap=Estimate(value=-0.02, low=-0.07, high=0.03)),
)


def numbers(
    *,
    roc_auc: Estimate = GOOD_AUC,
    log_loss: Estimate = GOOD_LOSS,
    lead: Estimate = GOOD_LEAD,
    slices: tuple[Slice, ...] = GOOD_SLICES,
    evidence: Evidence | None = None,
) -> EvaluationResult:
    """What an evaluation might say of a model that passes every gate of `lapse`."""
    metrics = {"roc_auc": roc_auc, "log_loss": log_loss}
    split = SplitScore(rows=800, mean=0.25, first=str(CUTOFF), last=str(CUTOFF), metrics=metrics)
    baseline = BaselineScore(metrics=metrics, lead={"roc_auc": lead, "log_loss": lead})
    return EvaluationResult(
        model=lapse_model.name,
        cutoff=str(CUTOFF),
        model_digest="m" * 64,
        dataset_digest="d" * 64,
        policy_digest=fingerprint(lapse_evaluation),
        splits={"train": split, "validation": split, "test": split},
        slices=slices,
        baselines={"recency": baseline, "majority": baseline},
        importance=(),
        curves={"roc": ((0.0, 0.0), (0.2, 0.8), (1.0, 1.0))},
        latency_ms={"p50": 1.0, "p95": 2.0, "p99": 3.0},
        size_bytes=1_000,
        goals={metric.name: metric.goal for metric in lapse_evaluation.metrics},
        titles={metric.name: metric.title for metric in lapse_evaluation.metrics},
        evidence=evidence,
    )
