"""A code location of two small projects that learn: one runs by itself, the other when somebody or a schedule asks.

As a program it is `platform-ml` for these projects, a command in each argument.
"""

import sys
from dataclasses import replace
from datetime import date, timedelta

from platform_ml import projects
from platform_ml.families import Linear
from platform_ml.features import Recency, Total
from platform_ml.gates import AtLeast
from platform_ml.orchestration import alerts, automation, build, retraining
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.origins import Files
from platform_ml.outcomes import NoEvent
from platform_ml.spec.automation import Automation
from platform_ml.spec.project import Project
from platform_ml.spec.retraining import Retraining
from platform_ml.spec.schedule import Schedule
from platform_ml.spec.window import Daily, Weekly
from platform_ml.splitters import ByTime
from platform_ml.testing import declarations
from platform_ml.triggers import NewLabels

FIRST = date(2024, 1, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(42)]
SOON = timedelta(seconds=2)

orders = replace(declarations.orders, origin=Files(settle=timedelta(0)), cadence=Daily(first=FIRST, last=DAYS[-1]))
order_history = replace(
    declarations.order_history,
    source=orders,
    cadence=orders.cadence,
    features=(Total(days=7, of="amount"), Recency(days=7)),
)
lapsed = replace(
    declarations.lapsed,
    source=orders,
    outcome=NoEvent(days=7),
    cadence=Weekly(first=DAYS[7], last=DAYS[35]),
)
lapse_view = replace(declarations.lapse_view, label=lapsed, features=(order_history,), helpers=())
lapse_dataset = replace(
    declarations.lapse_dataset,
    view=lapse_view,
    splitter=ByTime(validation_days=7),
    history_days=21,
    windows_may_overlap="The shop is small.",
)
lapse_model = replace(
    declarations.lapse_model,
    dataset=lapse_dataset,
    family=Linear(),
    baselines=declarations.lapse_model.baselines[1:],
)
lapse_evaluation = replace(declarations.lapse_evaluation, model=lapse_model, slices=(), resamples=50)
lapse_card = replace(declarations.lapse_card, evaluation=lapse_evaluation)
lapse = replace(
    declarations.lapse,
    card=lapse_card,
    gates=(AtLeast(metric="roc_auc", limit=0.5),),
    retraining=Retraining(when=(NewLabels(rows=100),), pause=timedelta(0)),
)

growing = Project(
    name="growing",
    description="Made as it is delivered.",
    owner="team:shop",
    outputs=(lapse,),
    automation=Automation(running=True, every=SOON, settle=timedelta(0)),
)
asked = Project(
    name="asked",
    description="Made when the time has come, or by hand.",
    owner="team:shop",
    outputs=(replace(lapse, name="asked_lapse", retraining=None),),
    automation=Automation(every=SOON),
    schedules=(Schedule(name="minutely", cron="* * * * *", of=(order_history,)),),
)
PROJECTS = (growing, asked)

# What is looked at each minute, or each five, is looked at every few seconds.
alerts.EVERY, retraining.EVERY, automation.EVERY = 4, 4, 10
defs = build.definitions(PROJECTS, PlatformResource(memory="200MB"))

if __name__ == "__main__":
    projects.PROJECTS = PROJECTS
    from platform_ml.cli import main

    sys.exit(max(main(line.split()) for line in sys.argv[1:]))
