"""What is known of an athlete: training day by day, longest run and earlier races at the very moment, and who it is.

ctl_42d and atl_7d are chronic and acute load after Banister's fitness and fatigue, as performance charts have them
(Banister et al. 1975; Allen and Coggan 2010): exponential means of the daily load, which is minutes times effort on
Borg's CR-10 scale (Foster et al. 2001). tsb is one less the other, acwr one over the other (Hulin et al. 2016). A mean
without an end would read all history: these end where 1 % of their weight is left, after 194 and 33 days.
"""

from datetime import timedelta

from platform_ml import Decimal, Derived, FeatureGroup, History, Integer, Mutations, Timestamp
from platform_ml import aggregations as agg
from platform_ml import features as of
from platform_ml.projects.athlete.sources import activities, athletes, race_results

DAY, KM = timedelta(days=1), Decimal(9, 3)
PACE = "CASE WHEN sport = 'run' AND distance >= 1000 THEN 1000 * duration / distance END"
RIEGEL = "CASE WHEN status = 'finished' THEN round(seconds * (10000 / distance) ** 1.06) END"
"""The time for 10 km that a result is worth (Riegel 1981)."""
NEXT = "lead(published_at) OVER (PARTITION BY race_id, athlete_id ORDER BY published_at)"

load = Derived(name="load", sql="duration * coalesce(effort, 4) / 60", type=Decimal(9, 1), unit="min")
km = Derived(name="km", sql="distance / 1000", type=KM, unit="km")
run_time = Derived(name="run_time", sql="CASE WHEN sport = 'run' THEN duration ELSE 0 END", type=Integer(), unit="s")
run_km = Derived(name="run_km", sql="CASE WHEN sport = 'run' THEN distance / 1000 END", type=KM, unit="km")
pace = Derived(name="pace", sql=PACE, type=Decimal(9, 2), unit="s/km")
finished = Derived(name="finished_at", sql="started_at + to_seconds(seconds)", type=Timestamp())
replaced = Derived(name="replaced_at", sql=NEXT, type=Timestamp(), description="When another result took its place.")
equivalent = Derived(name="equivalent_10k", sql=RIEGEL, type=Integer(), unit="s")
chronic = of.ExponentialMean(days=194, decay_days=42, of="load")
acute = of.ExponentialMean(days=33, decay_days=7, of="load")

training = FeatureGroup(
    name="training",
    description="How much, how hard, how regularly and how fast an athlete trains.",
    source=activities,
    entity="athlete_id",
    cadence=activities.cadence,
    derived=(load, km, run_km, run_time, pace),
    features=(
        of.Named(of=chronic, called="ctl_42d"),
        of.Named(of=acute, called="atl_7d"),
        of.Named(of=of.Quotient(of=acute, per=chronic), called="acwr"),
        of.Named(of=of.Difference(of=chronic, less=acute), called="tsb"),
        of.Named(of=of.Slope(days=30, of="pace"), called="pace_trend_30d"),
        of.Named(of=of.Mean(days=42, of="pace"), called="usual_pace"),
        of.Named(of=of.Ratio(days=42, of="elevation", per="km"), called="elevation_per_km"),
        of.Named(of=of.WeeksActive(days=42), called="consistency_score"),
        of.Named(of=of.Ratio(days=42, of="run_time", per="duration"), called="running_share"),
        *of.Total.over(7, 42, of="run_km"),
        *of.Total.over(7, of="load"),
    ),
)

SEQUENCE = agg.EventSequence.over("load", "run_km", last=20)
LISTS = tuple(each.name for each in of.Windowed.each(*SEQUENCE, window=42 * DAY))
"""Features that only a network reads."""
recent_training = FeatureGroup(
    name="recent_training",
    description="The longest run of six weeks, and the latest activities one by one.",
    source=activities,
    entity="athlete_id",
    cadence=activities.cadence,
    derived=(load, run_km),
    features=(
        of.Windowed(how=agg.Maximum(of="run_km"), window=42 * DAY, called="longest_run_km"),
        *of.Windowed.each(*SEQUENCE, window=42 * DAY),
    ),
    history=History(bound="<"),
)

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
    history=History(
        event_time="finished_at",
        bound="<",
        known=Mutations(known_from="published_at", known_to="replaced_at"),
        late_days=1,
    ),
)

profile = FeatureGroup(
    name="profile",
    description="Who an athlete is, as told: without time, so only for slices.",
    source=athletes,
    entity="athlete_id",
    features=(of.Field(of="gender"), of.Field(of="born")),
)
