"""What is known of an athlete: training day by day, longest run and earlier races at the very moment, and who it is."""

from datetime import timedelta

from platform_ml import FeatureGroup, History, Mutations
from platform_ml import aggregations as agg
from platform_ml import features as of
from platform_ml.formats.activity import ACTIVITY_DERIVED
from platform_ml.formats.race import EQUIVALENT, FINISHED, REPLACED
from platform_ml.projects.athlete.sources import activities, athletes, race_results

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
    features=(
        *of.training_load("load"),
        of.Named(of=of.Slope(days=30, of="pace"), called="pace_trend_30d"),
        of.Named(of=of.Mean(days=SIX_WEEKS, of="pace"), called="usual_pace"),
        of.Named(of=of.Ratio(days=SIX_WEEKS, of="elevation", per="km"), called="elevation_per_km"),
        of.Named(of=of.WeeksActive(days=SIX_WEEKS), called="consistency_score"),
        of.Named(of=of.Ratio(days=SIX_WEEKS, of="run_time", per="duration"), called="running_share"),
        *of.Total.over(7, SIX_WEEKS, of="run_km"),
        *of.Total.over(7, of="load"),
    ),
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
profile = FeatureGroup(
    name="profile",
    description="Who an athlete is, as told: without time, so only for slices.",
    source=athletes,
    entity="athlete_id",
    features=(of.Field(of="gender"), of.Field(of="born")),
)
