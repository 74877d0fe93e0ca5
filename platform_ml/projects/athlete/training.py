"""How much is trained in the next week, learned of the records themselves; and which patterns of training there are."""

from platform_ml import Baseline, Whole, variant
from platform_ml.families import Average, KMeans, Persistence, XGBoost
from platform_ml.gates import AtLeast, BeatsBaseline, SliceGap, StableClusters
from platform_ml.metrics import MAE, RMSE, SimplifiedSilhouette
from platform_ml.projects.athlete.features import training
from platform_ml.projects.athlete.labels import next_week_load, who_trains
from platform_ml.projects.athlete.races import TRAINED, race_time
from platform_ml.splitters import ByGroupAndTime, ByTime
from platform_ml.tuners import TPE

SPLIT = ByGroupAndTime(time=ByTime(validation_days=28, gap_days=43), group=TRAINED)
SUNDAYS = {"description": "Sundays of nine months.", "splitter": SPLIT, "history_days": 270, "cutoffs": None}
TREES = XGBoost(loss="absolute", max_rounds=200, early_stopping_rounds=20)
NAIVE = (
    Baseline(name="last_week", family=Persistence(feature="load_sum_7d")),
    Baseline(name="average", family=Average()),
)
HALVES = Baseline(name="halves", family=KMeans(clusters=2, starts=3))
ALONE = {"rivals": (), "intervals": None, "tuner": TPE(trials=4)}
KINDS = training.select("ctl_42d", "running_share", "consistency_score")
HELD = (BeatsBaseline("last_week", "mae", by=0.0), SliceGap(metric="mae", ratio=1.25))
FOUND = (AtLeast("simplified_silhouette", 0.4), StableClusters(0.75, share=0.02))

training_load = variant(
    race_time,
    "training_load",
    view={"description": "Athletes on Sundays.", "label": next_week_load, "features": (training,)},
    dataset=SUNDAYS,
    model=ALONE | {"description": "Boosted trees for the median.", "family": TREES, "baselines": NAIVE},
    evaluation={"description": "In minutes times effort.", "metrics": (MAE(), RMSE()), "slices": ("gender",)},
    card={"title": "Training load of the next week", "intended_use": "Warn of an unusually hard week ahead."},
    registration={"description": "Next week's load.", "gates": HELD},
)
training_patterns = variant(
    training_load,
    "training_patterns",
    view={"label": who_trains, "features": (KINDS,)},
    model={
        "description": "Groups of athletes that train alike, as many as are told apart best.",
        "family": KMeans(clusters=Whole(2, 5), starts=3),
        "metric": SimplifiedSilhouette(),
        "baselines": (HALVES,),
    },
    evaluation={"description": "Apart, and found again.", "metrics": (SimplifiedSilhouette(),), "slices": ()},
    card={"title": "Patterns of training", "intended_use": "Read other figures group by group."},
    registration={"description": "Groups of athletes.", "gates": FOUND},
)
