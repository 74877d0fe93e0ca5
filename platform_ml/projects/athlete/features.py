"""What is known of an athlete: training day by day, longest run and earlier races at the very moment, and who it is.

Load is minutes times effort on Borg's CR-10 scale (Foster et al. 2001), 4 where nobody told it.
"""

from datetime import timedelta

from platform_ml import Decimal, Derived, FeatureGroup, History, Integer, Mutations, Timestamp
from platform_ml import aggregations as agg
from platform_ml import features as of
from platform_ml.projects.athlete.sources import activities, athletes, race_results

DAY, KM, SIX_WEEKS = timedelta(days=1), Decimal(9, 3), 42
PACE = "CASE WHEN sport = 'run' AND distance >= 1000 THEN 1000 * duration / distance END"
RUN_TIME = "CASE WHEN sport = 'run' THEN duration ELSE 0 END"
RIEGEL = "CASE WHEN status = 'finished' THEN round(seconds * (10000 / distance) ** 1.06) END"
"""The time for 10 km that a result is worth (Riegel 1981)."""
NEXT = "lead(published_at) OVER (PARTITION BY race_id, athlete_id ORDER BY published_at)"

load = Derived(name="load", sql="duration * coalesce(effort, 4) / 60", type=Decimal(9, 1), unit="min")
km = Derived(name="km", sql="distance / 1000", type=KM, unit="km")
run_km = Derived(name="run_km", sql="CASE WHEN sport = 'run' THEN distance / 1000 END", type=KM, unit="km")
run_time = Derived(name="run_time", sql=RUN_TIME, type=Integer(), unit="s")
pace = Derived(name="pace", sql=PACE, type=Decimal(9, 2), unit="s/km")
finished = Derived(name="finished_at", sql="started_at + to_seconds(seconds)", type=Timestamp())
replaced = Derived(name="replaced_at", sql=NEXT, type=Timestamp(), description="When another result took its place.")
equivalent = Derived(name="equivalent_10k", sql=RIEGEL, type=Integer(), unit="s")
LATEST = of.Windowed.each(*agg.EventSequence.over("load", "run_km", last=20), window=SIX_WEEKS * DAY)

training = FeatureGroup(
    name="training",
    description="How much, how hard, how regularly and how fast an athlete trains.",
    source=activities,
    entity="athlete_id",
    cadence=activities.cadence,
    derived=(load, km, run_km, run_time, pace),
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
    derived=(load, run_km),
    features=(
        of.Windowed(how=agg.Maximum(of="run_km"), window=SIX_WEEKS * DAY, called="longest_run_km"),
        *LATEST,
    ),
    history=History(bound="<"),
)
KNOWN = Mutations(known_from="published_at", known_to="replaced_at")
race_history = FeatureGroup(
    name="race_history",
    description="Earlier races as they stood at the moment: what was mended later counts from then on only.",
    source=race_results,
    entity="athlete_id",
    cadence=race_results.cadence,
    derived=(replaced, finished, equivalent),
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
