"""A shop: households, products, and who will stay away."""

from datetime import date

from platform_ml import Project
from platform_ml.projects.retail.churn import churn
from platform_ml.projects.retail.features import product_performance

retail = Project(
    name="retail",
    description="Households and products of a supermarket, and which households will not come back within a month.",
    owner="team:retail-analytics",
    outputs=(churn, product_performance),
    demo_cutoff=date(2017, 12, 2),
)
