"""What is known of households, products and campaigns."""

from datetime import timedelta

from platform_ml import Decimal, Derived, FeatureGroup, History, Integer, Lookup
from platform_ml import aggregations as agg
from platform_ml.checks import InRange, Wasserstein
from platform_ml.features import (
    Age,
    Count,
    DaysActive,
    Deviation,
    Distinct,
    Exists,
    Field,
    Frequency,
    Mean,
    Ratio,
    Recency,
    RepeatRate,
    Tenure,
    Tier,
    Total,
    Trend,
    Variance,
    Velocity,
    Windowed,
)
from platform_ml.projects.retail.sources import (
    coupons,
    demographics,
    mailings,
    products,
    promotions,
    redemptions,
    transactions,
)

WINDOWS = (7, 30, 90)
YEAR = 365
DAY = timedelta(days=1)

customer_behaviour = FeatureGroup(
    name="customer_behaviour",
    description="How a household shops: how much, how often, how varied, how lately, and where it is heading.",
    source=transactions,
    lookups=(Lookup(source=products, columns=("product_category",)),),
    entity="household_id",
    cadence=transactions.cadence,
    features=(
        *Count.over(*WINDOWS),
        *Total.over(*WINDOWS, YEAR, of="sales_value"),
        *Mean.over(*WINDOWS, of="sales_value"),
        *Deviation.over(*WINDOWS, of="sales_value"),
        *DaysActive.over(*WINDOWS, YEAR),
        *Frequency.over(*WINDOWS, YEAR, of="basket_id"),
        *Distinct.over(*WINDOWS, YEAR, of="product_category"),
        *Trend.over(*WINDOWS, of="sales_value"),
        Recency(days=YEAR),
        Tenure(days=YEAR),
    ),
    checks=(
        InRange(f"days_since_last_{YEAR}d", 0, YEAR, blocking=True),
        Wasserstein(f"sales_value_sum_{WINDOWS[1]}d", 0.25),
    ),
)

product_performance = FeatureGroup(
    name="product_performance",
    description="How a product sells: how much, at what price, to how many, and who comes back for it.",
    source=transactions,
    derived=(Derived(name="unit_price", sql="sales_value / nullif(quantity, 0)", type=Decimal(12, 4)),),
    entity="product_id",
    cadence=transactions.cadence,
    features=(
        Total(days=30, of="quantity"),
        Total(days=30, of="sales_value"),
        Ratio(days=30, of="sales_value", per="quantity"),
        Variance(days=30, of="unit_price"),
        Distinct(days=30, of="household_id"),
        RepeatRate(days=30, of="household_id"),
        Velocity(days=30, of="quantity"),
        Tier(days=30, of="sales_value"),
    ),
)

customer_profile = FeatureGroup(
    name="customer_profile",
    description="What a household said of itself, as last known: without time, so only for slices.",
    source=demographics,
    entity="household_id",
    features=(Exists(called="demographics_known"), Field(of="age"), Field(of="income")),
)

customer_discounts = FeatureGroup(
    name="customer_discounts",
    description="How a household saves: with coupons, and by loyalty card.",
    source=transactions,
    derived=(
        Derived(
            name="with_coupon",
            sql="CAST(coupon_disc > 0 AS BIGINT)",
            type=Integer(),
            description="1 if a coupon was handed in for the line.",
        ),
    ),
    entity="household_id",
    cadence=transactions.cadence,
    features=(
        *Total.over(90, YEAR, of="with_coupon"),
        Total(days=YEAR, of="coupon_disc"),
        Total(days=90, of="retail_disc"),
        Total(days=YEAR, of="coupon_match_disc"),
    ),
)

customer_mailings = FeatureGroup(
    name="customer_mailings",
    description="Which campaigns a household was sent before.",
    source=mailings,
    entity="household_id",
    cadence=mailings.cadence,
    features=(*Windowed.over(60 * DAY, YEAR * DAY, how=agg.Count()), Age(unit=DAY, called="days_since_last")),
    history=History(bound="<", ties="last"),
)

customer_redemptions = FeatureGroup(
    name="customer_redemptions",
    description="Which coupons a household handed in before, as far as the day is over.",
    source=redemptions,
    entity="household_id",
    cadence=redemptions.cadence,
    features=(
        *Windowed.over(90 * DAY, YEAR * DAY, how=agg.Count()),
        Windowed(window=YEAR * DAY, how=agg.Distinct(of="campaign_id")),
        Age(unit=DAY, called="days_since_last"),
    ),
    history=History(bound="<", ties="last"),
)

campaign_offer = FeatureGroup(
    name="campaign_offer",
    description="What a campaign offers, as it is known when it is sent.",
    source=coupons,
    entity="campaign_id",
    cadence=coupons.cadence,
    features=tuple(
        Windowed(window=DAY, how=agg.Distinct(of=column), edges="(]") for column in ("coupon_upc", "product_id")
    ),
    history=History(),
)

product_promotion = FeatureGroup(
    name="product_promotion",
    description="In how many stores a product was promoted lately, and how: by shop week.",
    source=promotions,
    derived=(
        Derived(
            name="on_display",
            sql="CAST(display_location <> '0' AS BIGINT)",
            type=Integer(),
            description="1 if it stood on display.",
        ),
        Derived(
            name="in_mailer",
            sql="CAST(mailer_location <> '0' AS BIGINT)",
            type=Integer(),
            description="1 if it was in the mailer.",
        ),
    ),
    entity="product_id",
    cadence=promotions.cadence,
    features=(
        *Total.over(7, 28, of="on_display"),
        *Total.over(7, 28, of="in_mailer"),
        Distinct(days=28, of="store_id"),
    ),
)
