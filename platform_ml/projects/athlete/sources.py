"""What a platform for athletes exports: activities and race results by day, and who the athletes are."""

from datetime import date

from platform_ml import Column, Daily, Decimal, Integer, Simulated, Source, Text, Timestamp
from platform_ml.formats import ACTIVITY_EXPORTS, CSV, EXPORT_TIMES, Read
from platform_ml.simulators import AthleteSeasons

SEASONS = Daily(first=date(2022, 1, 1), last=date(2024, 12, 31))
SIMULATED = AthleteSeasons()
NULLS = ("", "--")

activities = Source(
    name="activities",
    description="What athletes did, filed under the day of its upload: nobody knew of it before.",
    format=CSV(nulls=NULLS, reads=ACTIVITY_EXPORTS),
    columns=(
        Column("activity_id", Integer(), description="The activity."),
        Column("athlete_id", Integer(), description="Who."),
        Column("sport", Text(), allowed=("run", "ride", "swim"), description="What kind."),
        Column("started_at", Timestamp(), description="When it began."),
        Column("uploaded_at", Timestamp(), description="From when on it is known: up to days later."),
        Column("duration", Integer(), unit="s", minimum=60, maximum=172_800, description="From start to end."),
        Column("distance", Integer(), unit="m", minimum=0, maximum=1_000_000, description="How far."),
        Column("elevation", Integer(), nullable=True, unit="m", minimum=0, maximum=20_000, description="Climbed."),
        Column("heart_rate", Integer(), nullable=True, unit="bpm", minimum=30, maximum=240, description="The mean."),
        Column("effort", Integer(), nullable=True, minimum=1, maximum=10, description="How hard it felt (CR-10)."),
    ),
    key=("activity_id",),
    event_time="uploaded_at",
    cadence=SEASONS,
    max_rejected_share=0.5,  # on a quiet day one walk, or one activity of two devices, is a large share
    example=Simulated(by=SIMULATED, table="activities"),
)

race_results = Source(
    name="race_results",
    description="Results by day of the race; one that is mended or taken away has a row for each truth.",
    format=CSV(
        nulls=NULLS,
        reads=(
            Read("distance", "Race Distance", unit="km"),
            Read("climb", "Climb", may_miss=True),
            *Read.first("started_at", "Start", "Date", forms=EXPORT_TIMES),
            Read("status", "Status", values=(("Finished", "finished"), ("DNF", "dnf"), ("DQ", "dq"))),
            Read("seconds", "Finish Time", unit="h:mm:ss"),
            Read("published_at", "Published", forms=EXPORT_TIMES),
        ),
    ),
    columns=(
        Column("race_id", Integer(), description="Which race."),
        Column("athlete_id", Integer(), description="Who."),
        Column("distance", Integer(), unit="m", minimum=1_000, maximum=100_000, description="How far."),
        Column(
            "climb", Decimal(5, 1), nullable=True, unit="m/km", minimum=0, maximum=400, description="Of the course."
        ),
        Column("started_at", Timestamp(), description="When it began."),
        Column("bib", Integer(), minimum=1, description="The number on the shirt."),
        Column(
            "status", Text(), allowed=("finished", "dnf", "dq"), known_at="published_at", description="If it counts."
        ),
        Column(
            "seconds", Integer(), nullable=True, unit="s", minimum=600, known_at="published_at", description="Time."
        ),
        Column("published_at", Timestamp(), description="From when on this was the result."),
    ),
    key=("race_id", "athlete_id", "published_at"),
    event_time="started_at",
    cadence=SEASONS,
    example=Simulated(by=SIMULATED, table="race_results"),
)

athletes = Source(
    name="athletes",
    description="Who the athletes are.",
    format=CSV(nulls=NULLS, reads=(Read("born", "Year of Birth", may_miss=True),)),
    columns=(
        Column("athlete_id", Integer(), description="The athlete."),
        Column("gender", Text(), nullable=True, allowed=("female", "male", "other"), description="As told."),
        Column("born", Integer(), nullable=True, minimum=1_900, maximum=2_020, description="Year of birth."),
    ),
    key=("athlete_id",),
    example=Simulated(by=SIMULATED, table="athletes"),
)
