"""What is predicted: the time of a race at its start, and how much is trained in the next week."""

from datetime import date

from platform_ml import Derived, Event, EventLabel, Integer, Label, Weekly
from platform_ml.outcomes import Total
from platform_ml.projects.athlete.features import finished, load, replaced
from platform_ml.projects.athlete.sources import activities, race_results

LAST = "CASE WHEN status = 'finished' AND replaced_at IS NULL THEN seconds END"
target_time_seconds = EventLabel(
    name="target_time_seconds",
    description="How long an athlete takes, by the last result that was published; who does not finish has no label.",
    source=race_results,
    entity="athlete_id",
    event=Event(value="last_time", known="finished_at", horizon_days=1),
    attributes=("distance", "climb"),
    derived=(replaced, finished, Derived(name="last_time", sql=LAST, type=Integer())),
)
next_week_load = Label(
    name="next_week_load",
    description="How much an athlete trains in the next seven days: minutes times effort.",
    source=activities,
    entity="athlete_id",
    outcome=Total(days=7, of="load"),
    cadence=Weekly(first=date(2022, 7, 3), last=date(2024, 12, 22)),
    seen_within_days=42,
    derived=(load,),
)
