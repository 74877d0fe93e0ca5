"""What the pages of models show before the first run: what was declared, in words and as short tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

from platform_ml.orchestration import metadata
from platform_ml.spec.gate import is_advisory
from platform_ml.spec.space import ranges

if TYPE_CHECKING:
    from platform_ml.spec.backtest import Backtest
    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.project import Project
    from platform_ml.spec.registration import Registration
    from platform_ml.spec.space import Range
    from platform_ml.spec.tuned_model import TunedModel

LINES = 100
"""Of a table."""


def of_model(model: TunedModel) -> dict[str, Any]:
    """What is learned, by which families, what is searched, and what the model has to beat."""
    searched = [
        (name, parameter, _says(found))
        for name, one in model.competitors.items()
        for parameter, found in ranges(one.family).items()
    ]
    return {
        "predicts": model.dataset.view.label.meaning,
        "task": str(model.task),
        "searched_for": f"{model.metric.name} on validation rows",
        "baselines": ", ".join(baseline.name for baseline in model.baselines),
        "features": len(model.dataset.view.feature_names),
        "search_space": metadata.table(("family", "parameter", "values"), searched, most=LINES),
    }


def of_evaluation(evaluation: Evaluation) -> dict[str, Any]:
    """What is measured, and on which parts of the test rows."""
    return {
        "metrics_of": ", ".join(metric.name for metric in evaluation.metrics),
        "slices_by": ", ".join(evaluation.sliced_by) or "none",
        "compared_with": ", ".join(baseline.name for baseline in evaluation.model.baselines),
    }


def of_registration(registration: Registration) -> dict[str, Any]:
    """The gates, as sentences, what becomes of a version that passes them, and when there is a new one."""
    rules = [f"- {gate.rule} {'It only warns.' if is_advisory(gate) else ''}".rstrip() for gate in registration.gates]
    retraining = registration.retraining
    return {
        "gates_declared": dg.MetadataValue.md("\n".join(rules)),
        "becomes": registration.alias,
        "trained_again": retraining.rule if retraining else "when somebody asks for it",
    }


def _says(found: Range) -> str:
    """What is tried."""
    return f"{found.low:g} to {found.high:g}{', even on a logarithmic scale' if found.log else ''}"


def of_backtest(project: Project, backtest: Backtest) -> dict[str, Any]:
    """What is compared over which cutoffs, how much worse it may get, and the command that makes it."""
    cutoffs = backtest.cutoffs
    return {
        "of": backtest.of.name,
        "over": f"the last {cutoffs} cutoffs" if isinstance(cutoffs, int) else f"{cutoffs[0]} to {cutoffs[1]}",
        "metrics_of": ", ".join(metric.name for metric in backtest.evaluation.metrics),
        "slices_by": ", ".join(backtest.slices) or "none",
        "may_worsen": backtest.may_worsen,
        "command": f"platform-ml backtest {project.name}/{backtest.name} --run",
    }
