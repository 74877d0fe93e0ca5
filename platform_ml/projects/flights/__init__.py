"""Delayed arrivals: flights out of New York in 2013, hourly weather and planes."""

from datetime import date

from platform_ml import Project
from platform_ml.projects.flights.delays import late_arrivals

flights = Project(
    name="flights",
    description="Flights out of the three airports of New York, and which of them will arrive late.",
    owner="team:flight-operations",
    outputs=(late_arrivals,),
    demo_cutoff=date(2013, 12, 31),
)
