"""Athletes: how long they will take for a race. Simulated seasons, or real exports in their place."""

from platform_ml import Project
from platform_ml.projects.athlete.models import race_backtest, race_time, training_load, training_patterns

athlete = Project(
    name="athlete",
    description="Runners, riders and swimmers: what their training and their races tell of the next race.",
    owner="team:endurance",
    outputs=(race_time, race_backtest, training_load, training_patterns),
    demo_without=(race_backtest,),  # 23 more models
)
