"""How platforms for athletes write what came of a race."""

from __future__ import annotations

from platform_ml.formats.activity import EXPORT_TIMES
from platform_ml.formats.reading import Read
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
