"""What the tracker is told of ablations: a run below that of the model for each, and why features are not used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from platform_ml.engine.tracked import TrackedRun
from platform_ml.engine.tracked_run import ABLATION, run_key, run_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.engine.tuned_model import Trained
    from platform_ml.spec.tuned_model import TunedModel

CARRIED = ("model", "cutoff", "dataset", "dataset_digest", "model_digest", "fingerprint")
"""Tags that a model's run and those of its ablations share."""


def with_ablations(run: TrackedRun, model: TunedModel, trained: Trained) -> TrackedRun:
    """The run of a model with its choice of features, and with a run below it for every ablation."""
    if trained.chosen is not None:
        said = {"selection": trained.chosen.selection, "selection_method": trained.chosen.method}
        count = {"features_used": float(len(trained.chosen.kept))}
        run = replace(run, tags={**run.tags, **said}, metrics={**run.metrics, **count})
    if not trained.ablations:
        return run
    below = [
        TrackedRun(
            name=ablation_name(name),
            experiment=run.experiment,
            key=f"{run.key}/ablation/{name}",
            part="training",
            params={"family": trained.family.name, "seed": model.seed}
            | dict(trained.params)
            | {"left_out": ", ".join(one.left_out)},
            metrics={f"validation_{model.metric.name}": one.score, "features_used": float(len(one.kept))},
            tags={tag: run.tags[tag] for tag in CARRIED if tag in run.tags}
            | {
                "kind": ABLATION,
                "ablation": name,
                "intent": f"What {model.name} loses without {', '.join(one.left_out)}.",
            },
            datasets=run.datasets,
            started=run.started,
        )
        for name, one in trained.ablations.items()
    ]
    return replace(run, children=[*run.children, *below])


def with_ablation_scores(run: TrackedRun, model_digest: str, scores: Mapping[str, Mapping[str, float]]) -> TrackedRun:
    """The numbers of an evaluation with those of its ablations; `scores` is ablation → metric → value."""
    below = [
        TrackedRun(
            name=ablation_name(name),
            experiment=run.experiment,
            key=f"{run_key(model_digest)}/ablation/{name}",
            part=run.part,
            params={},
            metrics=metrics,
            tags={tag: run.tags[tag] for tag in CARRIED if tag in run.tags} | {"kind": ABLATION, "ablation": name},
        )
        for name, metrics in scores.items()
    ]
    return replace(run, children=[*run.children, *below]) if below else run


def ablation_name(name: str) -> str:
    """As runs are called.

    >>> ablation_name("no_customer_behaviour")
    'ablation-no-customer-behaviour'
    """
    return run_name(ABLATION, name.replace("_", "-"))
