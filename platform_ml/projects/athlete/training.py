"""How much is trained in the next week, learned of the records themselves; and which patterns of training there are."""

from platform_ml import Baseline, Evaluation, FeatureView, ModelCard, Registration, TrainingDataset, TunedModel
from platform_ml.families import Average, KMeans, Persistence, XGBoost
from platform_ml.gates import AtLeast, BeatsBaseline, SlicesWithin, StableClusters
from platform_ml.metrics import MAE, RMSE, SimplifiedSilhouette
from platform_ml.projects.athlete.features import profile, training
from platform_ml.projects.athlete.labels import next_week_load, who_trains
from platform_ml.projects.athlete.races import ALONE, ATHLETES, WORDS
from platform_ml.spec.space import Whole
from platform_ml.splitters import ByGroupAndTime, ByTime
from platform_ml.tuners import Random, TPE

load_view = FeatureView(
    name="load_view",
    description="Athletes each Sunday, with what was known of their training that morning.",
    label=next_week_load,
    features=(training,),
    helpers=(profile,),
)
load_dataset = TrainingDataset(
    name="load_dataset",
    description="Sundays of half a year; athletes of one split are in no other.",
    view=load_view,
    splitter=ByGroupAndTime(time=ByTime(validation_days=28, gap_days=43), group=ATHLETES),
    history_days=270,
    windows_may_overlap=ALONE,
)
load_model = TunedModel(
    name="load_model",
    description="Boosted trees for the median.",
    dataset=load_dataset,
    family=XGBoost(loss="absolute", max_rounds=200, early_stopping_rounds=20),
    tuner=TPE(trials=4),
    metric=MAE(),
    baselines=(
        Baseline(name="last_week", family=Persistence(feature="load_sum_7d")),
        Baseline(name="average", family=Average()),
    ),
    seed=7,
)
load_evaluation = Evaluation(
    name="load_evaluation",
    description="How far off predictions are, in minutes times effort; by gender.",
    model=load_model,
    metrics=(MAE(), RMSE()),
    slices=("gender",),
)
load_card = ModelCard(
    name="load_card",
    evaluation=load_evaluation,
    title="Training load of the next week",
    intended_use="Tell athletes and coaches whose next week will be unusually hard, to look at the plan again.",
    **WORDS,
)
training_load = Registration(
    name="training_load",
    description="The model of next week's load that may be used.",
    card=load_card,
    gates=(BeatsBaseline("last_week", "mae", by=10.0), SlicesWithin("mae", margin=60.0)),
)

pattern_view = FeatureView(
    name="pattern_view",
    description="Athletes each Sunday, by how much, how regularly and on what they train.",
    label=who_trains,
    features=(training.select("ctl_42d", "running_share", "consistency_score"),),
)
pattern_dataset = TrainingDataset(
    name="pattern_dataset",
    description="Sundays of half a year; athletes of one split are in no other.",
    view=pattern_view,
    splitter=load_dataset.splitter,
    history_days=load_dataset.history_days,
    windows_may_overlap=ALONE,
)
pattern_model = TunedModel(
    name="pattern_model",
    description="Groups of athletes that train alike, as many as are told apart best.",
    dataset=pattern_dataset,
    family=KMeans(clusters=Whole(2, 5), starts=3),
    tuner=Random(trials=4),
    metric=SimplifiedSilhouette(),
    baselines=(Baseline(name="halves", family=KMeans(clusters=2, starts=3)),),
    seed=7,
)
pattern_evaluation = Evaluation(
    name="pattern_evaluation",
    description="How well groups are apart, and whether other athletes would make the same ones.",
    model=pattern_model,
    metrics=(SimplifiedSilhouette(),),
)
pattern_card = ModelCard(
    name="pattern_card",
    evaluation=pattern_evaluation,
    title="Patterns of training",
    intended_use="Say which patterns of training there are, to read other figures group by group.",
    **WORDS,
)
training_patterns = Registration(
    name="training_patterns",
    description="The groups that may be spoken of.",
    card=pattern_card,
    gates=(AtLeast("simplified_silhouette", 0.4), StableClusters(0.75, share=0.02)),
)
