"""How much is trained in the next week, learned of the records themselves; and which patterns of training there are."""

from dataclasses import replace

import platform_ml as ml
from platform_ml.families import Average, KMeans, Persistence, XGBoost
from platform_ml.gates import AtLeast, BeatsBaseline, SliceGap, StableClusters
from platform_ml.metrics import MAE, RMSE, SimplifiedSilhouette
from platform_ml.projects.athlete.features import profile, training
from platform_ml.projects.athlete.labels import next_week_load, who_trains
from platform_ml.projects.athlete.races import ATHLETES, race_card, race_dataset
from platform_ml.splitters import ByGroupAndTime, ByTime
from platform_ml.tuners import TPE

SUNDAYS = ByGroupAndTime(time=ByTime(validation_days=28, gap_days=43), group=ATHLETES)
load_view = ml.FeatureView(
    name="load_view", description="Athletes on Sundays.", label=next_week_load, features=(training,), helpers=(profile,)
)
load_dataset = replace(
    race_dataset, name="load_dataset", view=load_view, splitter=SUNDAYS, history_days=270, cutoffs=None
)
LAST_WEEK = ml.Baseline(name="last_week", family=Persistence(feature="load_sum_7d"))
load_model = ml.TunedModel(
    name="load_model",
    description="Boosted trees for the median.",
    dataset=load_dataset,
    family=XGBoost(loss="absolute", max_rounds=200, early_stopping_rounds=20),
    tuner=TPE(trials=4),
    metric=MAE(),
    baselines=(LAST_WEEK, ml.Baseline(name="average", family=Average())),
    seed=7,
)
load_evaluation = ml.Evaluation(
    name="load_evaluation",
    description="In minutes times effort.",
    model=load_model,
    metrics=(MAE(), RMSE()),
    slices=("gender",),
)
LOOK = "Tell athletes and coaches whose next week will be unusually hard, to look at the plan again."
load_card = replace(
    race_card, name="load_card", evaluation=load_evaluation, title="Training load of the next week", intended_use=LOOK
)
training_load = ml.Registration(
    name="training_load",
    description="The model of next week's load that may be used.",
    card=load_card,
    gates=(BeatsBaseline("last_week", "mae", by=0.0), SliceGap(metric="mae", ratio=1.25)),
)

KINDS = (training.select("ctl_42d", "running_share", "consistency_score"),)
pattern_view = ml.FeatureView(
    name="pattern_view", description="Who trains on Sundays.", label=who_trains, features=KINDS
)
pattern_model = ml.TunedModel(
    name="pattern_model",
    description="Groups of athletes that train alike, as many as are told apart best.",
    dataset=replace(load_dataset, name="pattern_dataset", view=pattern_view),
    family=KMeans(clusters=ml.Whole(2, 5), starts=3),
    tuner=TPE(trials=4),
    metric=SimplifiedSilhouette(),
    baselines=(ml.Baseline(name="halves", family=KMeans(clusters=2, starts=3)),),
    seed=7,
)
pattern_evaluation = ml.Evaluation(
    name="pattern_evaluation",
    description="Apart, and found again.",
    model=pattern_model,
    metrics=(SimplifiedSilhouette(),),
)
READ = "Say which patterns of training there are, to read other figures group by group."
pattern_card = replace(
    race_card, name="pattern_card", evaluation=pattern_evaluation, title="Patterns of training", intended_use=READ
)
training_patterns = ml.Registration(
    name="training_patterns",
    description="The groups that may be spoken of.",
    card=pattern_card,
    gates=(AtLeast("simplified_silhouette", 0.4), StableClusters(0.75, share=0.02)),
)
