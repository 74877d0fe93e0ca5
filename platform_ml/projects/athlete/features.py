"""What is known of an athlete at a moment, and what is predicted: the time of a race, and next week's load."""

from dataclasses import replace
from datetime import timedelta

from platform_ml import Event, EventLabel, FeatureGroup, History, Label, Mutations
from platform_ml import aggregations as agg
from platform_ml import features as of
from platform_ml.formats.activity import ACTIVITY_DERIVED, LOAD
from platform_ml.formats.race import EQUIVALENT, FINISHED, LAST_TIME, RACE, REPLACED
from platform_ml.outcomes import Total, Unlabelled
from platform_ml.projects.athlete.sources import SUNDAYS, activities, athletes, race_results

DAY, SIX_WEEKS = timedelta(days=1), 42
LONGEST = of.Windowed(how=agg.Maximum(of="run_km"), window=SIX_WEEKS * DAY, called="longest_run_km")
LATEST = of.Windowed.each(*agg.EventSequence.over("load", "run_km", last=20), window=SIX_WEEKS * DAY)
LISTS = tuple(one.name for one in LATEST)

training = FeatureGroup(
    name="training",
    description="How much, how hard, how regularly and how fast an athlete trains.",
    source=activities,
    entity="athlete_id",
    cadence=activities.cadence,
    derived=ACTIVITY_DERIVED,
    features=(*of.training_load("load"), *of.training_habits()),
)
recent_training = FeatureGroup(
    name="recent_training",
    description="The longest run of six weeks, and the latest activities one by one.",
    source=activities,
    entity="athlete_id",
    cadence=activities.cadence,
    derived=ACTIVITY_DERIVED,
    features=(LONGEST, *LATEST),
    history=History(bound="<"),
)
KNOWN = Mutations(known_from="published_at", known_to="replaced_at")
race_history = FeatureGroup(
    name="race_history",
    description="Earlier races as they stood at the moment: what was mended later counts from then on only.",
    source=race_results,
    entity="athlete_id",
    cadence=race_results.cadence,
    derived=(REPLACED, FINISHED, EQUIVALENT),
    features=(
        of.Age(unit=DAY, called="days_since_last_race"),
        of.Field(of="equivalent_10k", called="last_equivalent_10k"),
        of.Windowed(how=agg.Minimum(of="equivalent_10k"), window=365 * DAY, called="best_equivalent_10k"),
    ),
    history=History(event_time="finished_at", bound="<", known=KNOWN, late_days=1),
)
WHO = (of.Field(of="gender"), of.Field(of="born"))
profile = FeatureGroup(
    name="profile", description="As told: for slices only.", source=athletes, entity="athlete_id", features=WHO
)
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
    cadence=SUNDAYS,
    seen_within_days=42,
)
MORE = "How much an athlete trains in the next seven days: minutes times effort."
NEXT = replace(who_trains, name="next_week_load", description=MORE, outcome=Total(days=7, of="load"), derived=(LOAD,))
next_week_load = replace(NEXT, self_supervised=True)
