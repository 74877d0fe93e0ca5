"""Athletes: how long they will take for a race. Simulated seasons, or real exports in their place."""

from platform_ml import Project
from platform_ml.projects.athlete.features import long_runs, profile, race_history, training

athlete = Project(
    name="athlete",
    description="Runners, riders and swimmers: what their training and their races tell of the next race. Simulated.",
    owner="team:endurance",
    outputs=(training, long_runs, race_history, profile),
)
