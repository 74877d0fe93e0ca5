"""What is predicted of an application, what a model may see of it, and what it may not."""

from platform_ml import Boolean, Derived, Event, EventLabel, FeatureView, Text, TrainingDataset
from platform_ml.projects.mortgage.sources import applications
from platform_ml.splitters import Stratified

LOAN = ("loanamt", "price", "apr", "loanprc", "term", "fixadj", "occ", "prop", "unit", "inss", "gift", "cosign")
MONEY = ("appinc", "atotinc", "cototinc", "hexp", "hrat", "obrat", "other", "liq", "netw")
WORK = ("emp", "yjob", "self", "unem", "sch")
CREDIT = ("rep", "lines", "mortg", "cons", "chist", "pubrec")
NEIGHBOURHOOD = ("suffolk", "min30", "bd", "vr")
"""Where the home is: in this data they tell black applicants from others better than most of what they own."""
FEATURES = (*LOAN, *MONEY, *WORK, *CREDIT, *NEIGHBOURHOOD)

approved = EventLabel(
    name="approved",
    description="Whether the lender approved the application.",
    source=applications,
    entity="application",
    event=Event(value="was_approved", known="year_ends", horizon_days=365),
    attributes=FEATURES,
    carried=("race", "sex", "tract"),
    derived=(
        Derived(name="was_approved", sql="approve = 1", type=Boolean(), description="Whether it was approved."),
        Derived(
            name="race",
            sql="CASE WHEN black = 1 THEN 'black' WHEN hispan = 1 THEN 'hispanic' ELSE 'other' END",
            type=Text(),
            description="Of the applicant, as the study recorded it.",
        ),
        Derived(
            name="sex",
            sql="CASE male WHEN 1 THEN 'man' WHEN 0 THEN 'woman' END",
            type=Text(),
            description="Of the applicant.",
        ),
        Derived(
            name="tract",
            sql="CASE min30 WHEN 1 THEN 'more than 30 % minority' WHEN 0 THEN '30 % minority or less' END",
            type=Text(),
            description="The people of the census tract.",
        ),
    ),
)

applications_view = FeatureView(
    name="applications_view",
    description="Applications with what was known before anybody judged them; race, sex and tract only to look at.",
    label=approved,
    features=(),
)

# Half of the rows are for testing: of the 197 black applicants there are then about a hundred to judge by.
applications_dataset = TrainingDataset(
    name="applications_dataset",
    description="Two fifths of the applications to learn from, a tenth to tune by, half to judge by.",
    view=applications_view,
    splitter=Stratified(train=0.4, validation=0.1, test=0.5),
    history_days=1,
    random_split_because=(
        "the data is one cross-section of 1990 without days, so there is no earlier and later to split by. Numbers are "
        "those for other applications of the same year and place, not for a later year."
    ),
)
