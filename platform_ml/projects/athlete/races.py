"""How long a race takes, said at its start with a range: trees in a contest with a network that reads activities."""

from datetime import date

from platform_ml import (
    Backtest,
    Bands,
    Baseline,
    Conformal,
    Evaluation,
    FeatureView,
    ModelCard,
    Monthly,
    Registration,
    Rival,
    TrainingDataset,
    TunedModel,
)
from platform_ml.families import LeavingOut, PowerLaw, Recurrent, XGBoost
from platform_ml.gates import BeatsBaseline, IntervalsCover, SliceAtMost, SliceIntervalsCover, SlicesWithin
from platform_ml.metrics import MAE, MAPE, RMSE
from platform_ml.projects.athlete.features import LISTS, profile, race_history, recent_training, training
from platform_ml.projects.athlete.labels import target_time_seconds
from platform_ml.projects.energy import anywhere
from platform_ml.splitters import ByEntity, ByGroupAndTime, ByTime
from platform_ml.tuners import TPE

MINUTE = 60.0
FLOOR = {"5k": 0.44, "half": 2.35, "marathon": 7.63}
"""Mean errors in minutes that nobody can be below, by benchmarks/athlete_noise_floor.py; 10 km: 0.90."""
LIMITS = {"10k": 3.0 * MINUTE} | {distance: 2 * floor * MINUTE for distance, floor in FLOOR.items()}
"""10 km as asked for; elsewhere twice what cannot be known, so that no more is the model's fault than chance's."""
ALONE = (
    "Splits have no athlete in common, and every window reads the rows of its own athlete only: no activity and no race "
    "behind a feature of a test row is behind a training row. The gap of 43 days covers the time constant of ctl_42d, "
    "after which 37 % of its weight is left; its window of 194 days and the year of best_equivalent_10k are longer."
)
ATHLETES = ByEntity(train=0.4, validation=0.2, test=0.4)
WORDS = {
    "out_of_scope": (
        "Decisions about single people: entry, selection, insurance, medical advice. Other sports and distances, trails "
        "and ultramarathons; athletes who upload only some of what they do."
    ),
    "data": (
        "Activities, race results and athletes as a platform for athletes exports them. An activity counts from its "
        "upload on, a result from its publication on; one that was mended later is learned as it was mended."
    ),
    "limits": (
        "Weather and the day's form are not known at the start. Load is minutes times told effort, and 4 of 10 where "
        "nobody told it. Who does not finish has no time, so predictions are those of finishers."
    ),
    "ethics": (
        "Gender and year of birth are no features: they are slices, to look for uneven quality. A prediction can push "
        "people into training too hard."
    ),
    "license": "MIT",
    "energy": anywhere,
}

race_view = FeatureView(
    name="race_view",
    description="Races at their start, with what was known of training and earlier races.",
    label=target_time_seconds,
    features=(training, recent_training, race_history),
    helpers=(profile,),
)
race_dataset = TrainingDataset(
    name="race_dataset",
    description="Races of two years up to a month; athletes of one split are in no other.",
    view=race_view,
    splitter=ByGroupAndTime(time=ByTime(validation_days=120, gap_days=43), group=ATHLETES),
    history_days=730,
    windows_may_overlap=ALONE,
    cutoffs=Monthly(first=date(2023, 2, 1), last=date(2025, 1, 1)),
)
race_model = TunedModel(
    name="race_model",
    description="Boosted trees, or a recurrent network over the last activities if it is found better.",
    dataset=race_dataset,
    family=LeavingOut(family=XGBoost(loss="absolute", max_rounds=400, early_stopping_rounds=30), features=LISTS),
    tuner=TPE(trials=8),
    metric=MAE(),
    baselines=(
        Baseline(name="riegel", family=PowerLaw(feature="best_equivalent_10k", across="distance", measured_at=10_000)),
        Baseline(name="last", family=PowerLaw(feature="last_equivalent_10k", across="distance", measured_at=10_000)),
        Baseline(name="pace", family=PowerLaw(feature="usual_pace", across="distance", measured_at=1_000, exponent=1)),
    ),
    rivals=(
        Rival(family=Recurrent(width=16, max_epochs=8, batch_rows=128, loss="absolute"), tuner=TPE(trials=1)),
    ),
    intervals=Conformal(coverage=0.9, by=("distance",), relative=True, min_rows=30),
    seed=7,
)
race_evaluation = Evaluation(
    name="race_evaluation",
    description="How far off predictions are, in seconds; by distance, gender, year of birth and share of running.",
    model=race_model,
    metrics=(MAE(), MAPE(), RMSE()),
    slices=("race", "gender", Bands("born", edges=(1964, 1979, 1994)), Bands("running_share", edges=(0.6, 0.99))),
)
race_card = ModelCard(
    name="race_card",
    evaluation=race_evaluation,
    title="Race times of athletes",
    intended_use=(
        "Tell runners at the start which time they can expect over 5 km, 10 km, a half or a marathon, with a range that "
        "holds nine of ten, to choose a pace."
    ),
    users="Runners and coaches who know that a range is no promise.",
    **WORDS,
)
race_time = Registration(
    name="race_time",
    description="The model of race times that may be used.",
    card=race_card,
    gates=(
        SliceAtMost("mae", LIMITS["marathon"], by="race", limits=LIMITS),
        BeatsBaseline(baseline="riegel", metric="mae", by=0.0),
        IntervalsCover(0.85),
        SliceIntervalsCover(0.8),
    ),
)
race_backtest = Backtest(
    name="race_backtest",
    description="The models of 24 months, each on the races of the month before its cutoff.",
    of=race_time,
    cutoffs=24,
    slices=("race",),
)
