"""How platforms for athletes write what came of a race."""

from __future__ import annotations

from platform_ml.formats.activity import EXPORT_TIMES
from platform_ml.formats.reading import Read
from platform_ml.spec.feature_group import Derived
from platform_ml.spec.schema import Column, Decimal, Integer, Text, Timestamp

RESULT_EXPORTS = (
    Read("distance", "Race Distance", unit="km"),
    Read("climb", "Climb", may_miss=True),
    *Read.first("started_at", "Start", "Date", forms=EXPORT_TIMES),
    Read("status", "Status", values=(("Finished", "finished"), ("DNF", "dnf"), ("DQ", "dq"))),
    Read("seconds", "Finish Time", unit="h:mm:ss"),
    Read("published_at", "Published", forms=EXPORT_TIMES),
)
"""A list of results in km and h:mm:ss."""

RESULT_COLUMNS = (
    Column("race_id", Integer(), description="Which race."),
    Column("athlete_id", Integer(), description="Who."),
    Column("distance", Integer(), unit="m", minimum=1_000, maximum=100_000, description="How far."),
    Column("climb", Decimal(5, 1), nullable=True, unit="m/km", minimum=0, maximum=400, description="Of the course."),
    Column("started_at", Timestamp(), description="When it began."),
    Column("bib", Integer(), minimum=1, description="The number on the shirt."),
    Column("status", Text(), allowed=("finished", "dnf", "dq"), known_at="published_at", description="If it counts."),
    Column("seconds", Integer(), nullable=True, unit="s", minimum=600, known_at="published_at", description="Time."),
    Column("published_at", Timestamp(), description="From when on this was the result."),
)
"""Results as they were published: one that is mended or taken away has a row for each truth.

Their key is race_id, athlete_id and published_at.
"""

NEXT = "lead(published_at) OVER (PARTITION BY race_id, athlete_id ORDER BY published_at)"
RIEGEL = "CASE WHEN status = 'finished' THEN round(seconds * (10000 / distance) ** 1.06) END"
FINISHED = Derived(name="finished_at", sql="started_at + to_seconds(seconds)", type=Timestamp())
REPLACED = Derived(name="replaced_at", sql=NEXT, type=Timestamp(), description="When another result took its place.")
EQUIVALENT = Derived(name="equivalent_10k", sql=RIEGEL, type=Integer(), unit="s")
"""The time for 10 km that a result is worth (Riegel 1981, Athletic records and human endurance)."""

NAMES = """CASE WHEN distance BETWEEN 4950 AND 5050 THEN '5k' WHEN distance BETWEEN 9900 AND 10100 THEN '10k'
    WHEN distance BETWEEN 21000 AND 21200 THEN 'half' WHEN distance BETWEEN 42000 AND 42400 THEN 'marathon'
    ELSE 'other' END"""
RACE = Derived(name="race", sql=NAMES, type=Text(), description="5k, 10k, half, marathon or other.")
LAST = "CASE WHEN status = 'finished' AND replaced_at IS NULL THEN seconds END"
LAST_TIME = Derived(name="last_time", sql=LAST, type=Integer(), unit="s")
"""By the last truth; of who did not finish, or was disqualified later, there is none. Made of REPLACED."""
