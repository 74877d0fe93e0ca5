"""What is predicted: the time of a race at its start, next week's load; and who trains, for patterns without a label."""

from dataclasses import replace
from datetime import date

from platform_ml import Derived, Event, EventLabel, Integer, Label, Text, Weekly
from platform_ml.outcomes import Total, Unlabelled
from platform_ml.projects.athlete.features import finished, load, replaced
from platform_ml.projects.athlete.sources import activities, race_results

RACE = """CASE WHEN distance BETWEEN 4950 AND 5050 THEN '5k' WHEN distance BETWEEN 9900 AND 10100 THEN '10k'
    WHEN distance BETWEEN 21000 AND 21200 THEN 'half' WHEN distance BETWEEN 42000 AND 42400 THEN 'marathon'
    ELSE 'other' END"""
LAST = "CASE WHEN status = 'finished' AND replaced_at IS NULL THEN seconds END"
race = Derived(name="race", sql=RACE, type=Text(), description="5k, 10k, half, marathon or other.")
last = Derived(name="last_time", sql=LAST, type=Integer(), unit="s")
target_time_seconds = EventLabel(
    name="target_time_seconds",
    description="How long an athlete takes, by the last result that was published; who does not finish has no label.",
    source=race_results,
    entity="athlete_id",
    event=Event(value="last_time", known="finished_at", horizon_days=1),
    attributes=("distance", "climb"),
    carried=("race",),
    derived=(race, replaced, finished, last),
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
    who_trains,
    name="next_week_load",
    description=MORE,
    outcome=Total(days=7, of="load"),
    derived=(load,),
    self_supervised=True,
)
