"""How sports platforms and devices write an activity: a run, a ride, a swim."""

from __future__ import annotations

from platform_ml.formats.reading import Read
from platform_ml.spec.feature_group import Derived
from platform_ml.spec.schema import Column, Decimal, Integer, Text, Timestamp

EXPORT_TIMES = ("%Y-%m-%d %H:%M:%S", "%b %d, %Y, %I:%M:%S %p")
"""As databases and as Strava write moments, in UTC."""
SPORTS = {
    "run": ("Run", "Trail Run", "Virtual Run", "Running", "Trail Running", "Treadmill Running"),
    "ride": ("Ride", "Virtual Ride", "Cycling", "Biking", "Road Cycling", "Indoor Cycling"),
    "swim": ("Swim", "Swimming", "Pool Swim", "Pool Swimming", "Open Water Swimming"),
}
"""Our word → those of Strava, Garmin, FIT and TCX."""

ACTIVITY_EXPORTS = (
    Read("sport", "Activity Type", values=tuple((theirs, ours) for ours, some in SPORTS.items() for theirs in some)),
    *Read.first("started_at", "Activity Date", "Date", forms=EXPORT_TIMES),
    *Read.first("uploaded_at", "Upload Date", "Activity Date", "Date", forms=EXPORT_TIMES),
    Read("duration", "Time", unit="h:mm:ss"),  # first: what Garmin calls Elapsed Time is h:mm:ss, too
    Read("duration", "Elapsed Time", unit="s"),
    Read("distance", "Distance (2)", unit="m"),
    Read("distance", "Distance", unit="km"),
    Read("elevation", "Elevation Gain", unit="m"),
    Read("elevation", "Total Ascent", unit="m", may_miss=True),
    Read("heart_rate", "Average Heart Rate", unit="bpm"),
    Read("heart_rate", "Avg HR", unit="bpm", may_miss=True),
    Read("effort", "Perceived Exertion", may_miss=True),
)
"""The activities.csv of Strava (elapsed seconds, m) and the list of Garmin Connect in metric units (h:mm:ss, km).

Strava has names twice, which needs CSV(repeats=True): its first Distance is for readers, in km or, of swims, in m; its
second one is in m. Neither says whose activities it has: add a column Athlete ID, and to Garmin's an Activity ID, too.
Garmin writes local times: declare their zone.
"""

ACTIVITY_COLUMNS = (
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
)
"""What such a file says of an activity; its key is activity_id, and it is known from uploaded_at on."""

KM = Decimal(9, 3)
RUN_TIME = "CASE WHEN sport = 'run' THEN duration ELSE 0 END"
PACE = "CASE WHEN sport = 'run' AND distance >= 1000 THEN 1000 * duration / distance END"
LOAD = Derived(name="load", sql="duration * coalesce(effort, 4) / 60", type=Decimal(9, 1), unit="min")
"""Minutes times effort on Borg's CR-10 scale (Foster et al. 2001), 4 where nobody told it."""
RUN_KM = Derived(name="run_km", sql="CASE WHEN sport = 'run' THEN distance / 1000 END", type=KM, unit="km")
ACTIVITY_DERIVED = (
    LOAD,
    RUN_KM,
    Derived(name="km", sql="distance / 1000", type=KM, unit="km"),
    Derived(name="run_time", sql=RUN_TIME, type=Integer(), unit="s"),
    Derived(name="pace", sql=PACE, type=Decimal(9, 2), unit="s/km"),
)
"""What features of training are made of."""

ATHLETE_COLUMNS = (
    Column("athlete_id", Integer(), description="The athlete."),
    Column("gender", Text(), nullable=True, allowed=("female", "male", "other"), description="As told."),
    Column("born", Integer(), nullable=True, minimum=1_900, maximum=2_020, description="Year of birth."),
)
GENDERS = (("Female", "female"), ("F", "female"), ("Male", "male"), ("M", "male"), ("Other", "other"))
ATHLETE_EXPORTS = (
    Read("gender", "Gender", values=GENDERS, may_miss=True),
    Read("born", "Year of Birth", may_miss=True),
)


def sport_of(word: str) -> str | None:
    """Our word for a device's, however it writes it; None for another kind of activity."""
    plain = word.strip().lower().replace("_", " ")
    return next((ours for ours, some in SPORTS.items() if plain in {ours, *(one.lower() for one in some)}), None)
