"""Mortgages: which applications lenders approve, by a model that a bias gate holds back and one that it lets in."""

from datetime import date

from platform_ml import Project
from platform_ml.projects.mortgage.as_learned import fast_lane_as_learned
from platform_ml.projects.mortgage.evened import fast_lane

mortgage = Project(
    name="mortgage",
    description=(
        "Applications for a mortgage, and which of them may be approved without a closer look: once as the data has "
        "it, which a bias gate holds back, and once without what tells groups of applicants apart."
    ),
    owner="team:home-loans",
    outputs=(fast_lane_as_learned, fast_lane),
    demo_cutoff=date(1990, 1, 1),
    demo_refused=(fast_lane_as_learned,),
)
