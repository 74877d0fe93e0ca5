"""What is known of households and products."""

from platform_ml import Decimal, Derived, FeatureGroup, Lookup, Quality
from platform_ml.checks import InRange, Wasserstein
from platform_ml.features import (
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
)
from platform_ml.outliers import Tukey
from platform_ml.projects.retail.sources import demographics, products, transactions

WINDOWS = (7, 30, 90)
YEAR = 365

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
    quality=Quality(outliers=Tukey()),
)

product_performance = FeatureGroup(
    name="product_performance",
    description="How a product sells: how much, at what price, to how many, and who comes back for it.",
    source=transactions,
    derived=(
        Derived(name="unit_price", sql="sales_value / nullif(quantity, 0)", type=Decimal(12, 4), unit="USD/piece"),
    ),
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
    quality=Quality(outliers=Tukey()),
)

customer_profile = FeatureGroup(
    name="customer_profile",
    description="What a household said of itself, as last known: without time, so only for slices.",
    source=demographics,
    entity="household_id",
    features=(Exists(called="demographics_known"), Field(of="age"), Field(of="income")),
    quality=Quality(),
)
