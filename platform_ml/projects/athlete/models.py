"""How long a race takes, said at its start with a range; how much is trained next week; which patterns there are."""

from dataclasses import replace

import platform_ml as ml
from platform_ml import gates
from platform_ml.families import KMeans, LeavingOut, Persistence, PowerLaw, Recurrent, RelativeTo, XGBoost
from platform_ml.metrics import MAE, MAPE, RMSE, SimplifiedSilhouette
from platform_ml.projects.athlete import features as known
from platform_ml.projects.athlete.sources import CUTOFFS
from platform_ml.splitters import ByEntity, ByGroupAndTime, ByTime
from platform_ml.tuners import TPE

FLOOR = {"5k": 0.44, "10k": 0.90, "half": 2.35, "marathon": 7.63}
"""Minutes of mean error that nobody can be below: benchmarks/athlete_noise_floor.py."""
LIMITS = {race: round(60 * 3.0 * floor / FLOOR["10k"]) for race, floor in FLOOR.items()}
"""Seconds: 3.0 minutes at 10 km, and as many times the floor at the other distances."""
ALONE = (
    "Splits share no athlete, and a window reads its own athlete only: what a test row sees is behind no training row. "
    "43 days are the time constant of ctl_42d, which leaves 37 % of its weight; windows are 194 and 365 days long."
)
BORN, RUNNING = ml.Bands("born", edges=(1964, 1979, 1994)), ml.Bands("running_share", edges=(0.6, 0.99))
NETWORK = ml.Rival(family=Recurrent(width=16, max_epochs=8, loss="absolute"), tuner=TPE(trials=1))
BEST = PowerLaw(feature="best_equivalent_10k", across="distance", measured_at=10_000)
TREES = XGBoost(loss="absolute", max_rounds=400, early_stopping_rounds=30)
EVEN = PowerLaw(feature="usual_pace", across="distance", measured_at=1_000, exponent=1)
CUT = ByGroupAndTime(time=ByTime(validation_days=120, gap_days=43), group=ByEntity(train=0.4, validation=0.2, test=0.4))
RULES = {"riegel": BEST, "last_race": replace(BEST, feature="last_equivalent_10k"), "even_pace": EVEN}
race_view = ml.FeatureView(
    name="race_view",
    description="Races at their start, with what was known of training and earlier races.",
    label=known.target_time_seconds,
    features=(known.training, known.recent_training, known.race_history),
    helpers=(known.profile,),
)
race_dataset = ml.TrainingDataset(
    name="race_dataset",
    description="Races of two years up to a month; athletes of one split are in no other.",
    view=race_view,
    splitter=CUT,
    history_days=730,
    windows_may_overlap=ALONE,
    cutoffs=CUTOFFS,
)
race_model = ml.TunedModel(
    name="race_model",
    description="Boosted trees of how far Riegel's rule is off, or a recurrent network where it is found better.",
    dataset=race_dataset,
    family=LeavingOut(family=RelativeTo(rule=BEST, family=TREES), features=known.LISTS),
    tuner=TPE(trials=8),
    metric=MAE(),
    baselines=tuple(ml.Baseline(name=name, family=rule) for name, rule in RULES.items()),
    rivals=(NETWORK,),
    intervals=ml.Conformal(coverage=0.9, by=("distance",), relative=True, min_rows=30),
)
race_evaluation = ml.Evaluation(
    name="race_evaluation",
    description="How far off, in seconds, by distance, gender, year of birth and share of running.",
    model=race_model,
    metrics=(MAE(), MAPE(), RMSE()),
    slices=("race", "gender", BORN, RUNNING),
    min_rows=10,  # a month has about twenty marathons of test athletes
)
race_card = ml.ModelCard(
    name="race_card",
    evaluation=race_evaluation,
    title="Race times of athletes",
    intended_use="Tell runners at the start which time to expect, with a range that holds nine of ten.",
    out_of_scope="Entry, selection, insurance, medical advice; trails, ultramarathons; athletes who tell only a part.",
    data="Exports of a platform for athletes. What was mended later is learned as it was mended.",
    limits="Weather and the day's form are not known. Who does not finish has no time: these are times of finishers.",
    ethics="Gender and age are slices, never features. A prediction can push people into training too hard.",
    license="MIT",
)
race_time = ml.Registration(
    name="race_time",
    description="The model of race times that may be used.",
    card=race_card,
    gates=(
        gates.SliceAtMost("mae", LIMITS["marathon"], by="race", limits=LIMITS, min_rows=10),
        gates.BeatsBaseline("riegel", "mae", by=0.0),
        *(gates.SliceAtMost("mape", 0.1, by=by) for by in ("gender", "born", "running_share")),
        gates.IntervalsCover(0.85),
        gates.SliceIntervalsCover(0.8),
    ),
)
race_backtest = ml.Backtest(
    name="race_backtest", description="The models of two years.", of=race_time, cutoffs=24, slices=("race",)
)
SHORT = replace(CUT, time=ByTime(validation_days=28, gap_days=43))
ON_SUNDAYS = {"description": "Sundays of nine months.", "splitter": SHORT, "history_days": 270, "cutoffs": None}
LAST_WEEK = ml.Baseline(name="last_week", family=Persistence(feature="load_sum_7d"))
GROUPS, APART = KMeans(clusters=ml.Whole(2, 5), starts=3), SimplifiedSilhouette()
HALVES = ml.Baseline(name="halves", family=replace(GROUPS, clusters=2))
LONE = {"rivals": (), "intervals": None, "tuner": TPE(trials=4)}
KINDS = known.training.select("ctl_42d", "running_share", "consistency_score")
HELD = (gates.BeatsBaseline("last_week", "mae", by=0.0), gates.SliceGap(metric="mae", ratio=1.25))
FOUND = (gates.AtLeast("simplified_silhouette", 0.4), gates.StableClusters(0.75, share=0.02))
training_load = ml.variant(
    race_time,
    "training_load",
    view={"description": "Athletes each Sunday morning.", "label": known.next_week_load, "features": (known.training,)},
    dataset=ON_SUNDAYS,
    model=LONE | {"description": "Boosted trees for the median.", "family": TREES, "baselines": (LAST_WEEK,)},
    evaluation={"description": "In minutes times effort.", "metrics": (MAE(), RMSE()), "slices": ("gender",)},
    card={"title": "Next week's load", "intended_use": "Warn of hard weeks.", "limits": "Plans are unknown."},
    registration={"description": "Next week's load, foretold.", "gates": HELD},
)
training_patterns = ml.variant(
    training_load,
    "training_patterns",
    view={"label": known.who_trains, "features": (KINDS,)},
    model={"description": "Athletes who train alike.", "family": GROUPS, "metric": APART, "baselines": (HALVES,)},
    evaluation={"description": "Apart, and found again.", "metrics": (APART,), "slices": ()},
    card={"title": "Training patterns", "intended_use": "Read figures by group.", "limits": "Groups have no names."},
    registration={"description": "Groups that may be spoken of.", "gates": FOUND},
)
