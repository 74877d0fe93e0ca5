"""Trials as random walks, stopped by us and by Optuna."""

import optuna

from platform_ml.engine.attempt import Attempt, run_attempt


def stopped_at(pruner, walks):
    """The step at which each walk was stopped; None: never."""
    tried = []
    for number, walk in enumerate(walks):

        def objective(trial, walk=walk):
            for step, score in enumerate(walk):
                trial.report(step, score)
            return walk[-1]

        attempt = Attempt(number=number, values={}, params={}, floors=pruner.floors(tried))
        tried.append(run_attempt(objective, attempt))
    return [None if trial.state == "finished" else len(trial.steps) - 1 for trial in tried]


def theirs(pruner, walks):
    """What Optuna's rule makes of the same walks."""
    study = optuna.create_study(study_name="walks", direction="maximize", pruner=pruner)
    found = []
    for walk in walks:
        trial, stopped = study.ask(), None
        for step, score in enumerate(walk):
            trial.report(score, step)
            if trial.should_prune():
                stopped = step
                break
        if stopped is None:
            study.tell(trial, walk[-1])
        else:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        found.append(stopped)
    return found
