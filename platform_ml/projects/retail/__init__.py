"""A shop: households, products and campaigns; who stays away, who answers a campaign, and who will spend what."""

from datetime import date

from platform_ml import Project, Schedule
from platform_ml.projects.retail.churn import churn, churn_backtest, churn_scores
from platform_ml.projects.retail.coupons import coupon_response
from platform_ml.projects.retail.features import (
    customer_behaviour,
    customer_discounts,
    product_performance,
    product_promotion,
)
from platform_ml.projects.retail.spend import spend

retail = Project(
    name="retail",
    description=(
        "Households and products of a supermarket: which households will not come back within a month, which will "
        "redeem a coupon that they are sent, and what each will spend."
    ),
    owner="team:retail-analytics",
    outputs=(churn, coupon_response, spend, churn_scores, churn_backtest, product_performance, product_promotion),
    demo_cutoff=date(2017, 12, 2),
    demo_without=(product_promotion, churn_backtest),  # twenty million rows that no model needs yet; five more models
    schedules=(
        Schedule.weekly(name="households", of=(customer_behaviour, customer_discounts)),
        # What a product is like changes slowly, and these are the longest windows and the most rows.
        Schedule.monthly(name="products", of=(product_performance, product_promotion)),
        Schedule.monthly(name="models", day=2, of=(churn, spend)),
    ),
)
