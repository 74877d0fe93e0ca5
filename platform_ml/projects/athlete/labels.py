"""What is predicted: the time of a race at its start, and next week's load; and who trains, to be grouped."""

from dataclasses import replace
from datetime import date

from platform_ml import Event, EventLabel, Label, Weekly
from platform_ml.formats.activity import LOAD
from platform_ml.formats.race import FINISHED, LAST_TIME, RACE, REPLACED
from platform_ml.outcomes import Total, Unlabelled
from platform_ml.projects.athlete.sources import activities, race_results

target_time_seconds = EventLabel(
    name="target_time_seconds",
    description="How long an athlete takes, by the last result that was published; who does not finish has no label.",
    source=race_results,
    entity="athlete_id",
    event=Event(value="last_time", known="finished_at", horizon_days=1),
    attributes=("distance", "climb"),
    carried=("race",),
    derived=(RACE, REPLACED, FINISHED, LAST_TIME),
)
who_trains = Label(
    name="who_trains",
    description="Everybody who trained in the last six weeks; nothing is predicted of them.",
    source=activities,
    entity="athlete_id",
    outcome=Unlabelled(),
    cadence=Weekly(first=date(2024, 3, 3), last=date(2024, 12, 22)),
    seen_within_days=42,
)
MORE = "How much an athlete trains in the next seven days: minutes times effort."
next_week_load = replace(
    who_trains, name="next_week_load", description=MORE, outcome=Total(days=7, of="load"), derived=(LOAD,)
)
next_week_load = replace(next_week_load, self_supervised=True)
