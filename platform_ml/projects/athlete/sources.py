"""What a platform for athletes exports: activities and race results by day, and who the athletes are."""

from datetime import date

from platform_ml import Daily, Monthly, Simulated, Source, Weekly
from platform_ml.formats import CSV, RESULT_COLUMNS, RESULT_EXPORTS, activity
from platform_ml.simulators import AthleteSeasons

SEASONS = Daily(first=date(2022, 1, 1), last=date(2024, 12, 31))
CUTOFFS = Monthly(first=date(2023, 2, 1), last=date(2025, 1, 1))
SUNDAYS = Weekly(first=date(2024, 3, 3), last=date(2024, 12, 22))
"""The days of the data, where models of races end, and when load is foretold. Data of other years has others."""
SIMULATED = AthleteSeasons()
activities = Source(
    name="activities",
    description="What athletes did, filed under the day of its upload: nobody knew of it before.",
    format=CSV(nulls=("", "--"), reads=activity.ACTIVITY_EXPORTS, repeats=True),
    columns=activity.ACTIVITY_COLUMNS,
    key=("activity_id",),
    event_time="uploaded_at",
    cadence=SEASONS,
    max_rejected_share=0.5,  # on a quiet day one walk, or one activity of two devices, is a large share
    example=Simulated(by=SIMULATED, table="activities"),
)
race_results = Source(
    name="race_results",
    description="Results by day of the race; one that is mended or taken away has a row for each truth.",
    format=CSV(nulls=("", "--"), reads=RESULT_EXPORTS),
    columns=RESULT_COLUMNS,
    key=("race_id", "athlete_id", "published_at"),
    event_time="started_at",
    cadence=SEASONS,
    max_rejected_share=0.5,  # some races are small
    example=Simulated(by=SIMULATED, table="race_results"),
)
athletes = Source(
    name="athletes",
    description="Who the athletes are.",
    format=CSV(nulls=("", "--"), reads=activity.ATHLETE_EXPORTS),
    columns=activity.ATHLETE_COLUMNS,
    key=("athlete_id",),
    example=Simulated(by=SIMULATED, table="athletes"),
)
