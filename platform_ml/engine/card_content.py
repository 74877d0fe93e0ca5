"""What a card says, as plain JSON: its templates print nothing but this."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine.card_change import change
from platform_ml.engine.card_explanations import card_explanations
from platform_ml.engine.card_graph import graph
from platform_ml.engine.card_rivals import card_rivals
from platform_ml.engine.card_usage import online_usage, usage
from platform_ml.engine.training_cost import training_cost
from platform_ml.engine.winner import winner
from platform_ml.spec.clusters import STABLE
from platform_ml.spec.model_card import OPTIONAL, REQUIRED
from platform_ml.spec.reason import reason_says
from platform_ml.spec.task import BINARY, CLUSTERING, MULTICLASS, RANKING, REGRESSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.card_change import Previous
    from platform_ml.spec.evaluation import EvaluationResult
    from platform_ml.spec.event_label import EventLabel
    from platform_ml.spec.feature import Feature
    from platform_ml.spec.feature_group import FeatureGroup
    from platform_ml.spec.feature_view import FeatureView
    from platform_ml.spec.gate import Gate, Verdict
    from platform_ml.spec.label import Label
    from platform_ml.spec.model_card import ModelCard
    from platform_ml.spec.tuned_model import TunedModel

NOT_JUDGED: dict[str, Any] = {
    "outcome": "not judged",
    "passed": False,
    "stops": True,
    "reason": "There is no verdict of this gate.",
    "advice": "",
    "advisory": False,
    "waiver": None,
    "bound_to": None,
    "parts": [],
    **dict.fromkeys(("value", "limit", "low", "high", "rows", "rows_needed")),
}
HUB_TASKS = {
    BINARY: "tabular-classification",
    REGRESSION: "tabular-regression",
    MULTICLASS: "tabular-classification",
    RANKING: "other",
    CLUSTERING: "other",
}
"""How model hubs call what is learned; they have no word for ranking rows of a table."""
KINDS = {
    BINARY: "classification, two classes",
    REGRESSION: "regression",
    MULTICLASS: "classification",
    RANKING: "ranking",
    CLUSTERING: "clustering",
}
"""How readers call it."""
ABSENT = {
    "classes": [],
    "groups": {},
    "meanings": {},
    "min_rows": 0,
    "periods": [],
    "weak_slices": [],
    "intervals": None,
    "clusters": None,
}
"""What is not written where it is empty."""
MEANS = {
    BINARY: "True",
    REGRESSION: "Mean",
    MULTICLASS: "Most frequent class",
    RANKING: "Mean relevance",
    CLUSTERING: "Label",
}
"""What is said of the labels of some rows."""
MOST_CLASSES = 12
"""Of which a card shows who is taken for whom."""
SCHEMA = "platform_ml/model_card/2"
"""The shape of card.json, as `card.schema.json` says it; the number grows when readers of the one before would fail."""


def content(
    card: ModelCard,
    *,
    result: EvaluationResult,
    verdicts: Sequence[Verdict],
    gates: Sequence[Gate],
    provenance: Mapping[str, Any],
    previous: Previous | None = None,
) -> dict[str, Any]:
    """Everything that the card holds, numbers unrounded."""
    model = card.evaluation.model
    view, label = model.dataset.view, model.dataset.view.label
    judged = _judged(gates, verdicts)
    known = jsonable(provenance)
    family = winner(model, known["model"])
    evaluation = ABSENT | jsonable(result.to_json())
    metric = card.evaluation.metrics[0].name
    approved = bool(judged) and not any(gate["stops"] for gate in judged)
    shown = {
        "schema": SCHEMA,
        "card": {name: getattr(card, name) for name in ("name", *REQUIRED, *OPTIONAL)},
        "project": known["project"],
        "owner": known["owner"],
        "approved": approved,
        "status": _status(judged),
        "gates": judged,
        "metric": metric,
        "task": HUB_TASKS[label.task],
        "kind": KINDS[label.task],
        "binary": label.task is BINARY,
        "in_classes": label.task.in_classes,
        "mean_of": MEANS[label.task],
        "confusion": _confusion(evaluation.get("classes", [])),
        "headline": _headline(evaluation, metric),
        "model": _model(model, known["model"]),
        "label": _label(label),
        "dataset": {"name": model.dataset.name, "description": model.dataset.description, "view": view.name},
        "features": _features(view, evaluation, known["dataset"]["lookback_days"], known["model"]["not_used"]),
        "rivals": card_rivals(model, evaluation),
        "resamples": card.evaluation.resamples,
        "slices_by": list(card.evaluation.sliced_by),
        "threshold": card.evaluation.threshold,
        "stable_from": STABLE,
        "evaluation": evaluation,
        "training": training_cost(known["model"]["compute"], known["model"]["conditions"], card.energy),
        "explanations": card_explanations(evaluation, view.meanings),
        "provenance": known,
        "why": reason_says(known["reason"], known["reason_detail"]),
        "graph": graph(model, known),
        "usage": usage(model, known["model"], registered=approved, family=family),
        "usage_online": online_usage(model, known["model"], registered=approved, family=family),
    }
    return shown | {"change": change(previous, shown)}


def jsonable(value: Any) -> Any:
    """Dataclasses, mappings and tuples as plain JSON; a number that is not finite is not defined."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: jsonable(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): jsonable(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _model(model: TunedModel, used: Mapping[str, Any]) -> dict[str, Any]:
    """How it was declared, with the family that became the model."""
    family = winner(model, used)
    return {
        "name": model.name,
        "description": model.description,
        "family": type(family).__name__,
        "library": family.name,
        "tuned_for": model.metric.title,
        "seed": model.seed,
        "preparations": [step.rule for step in model.preparations],
        "class_weight": _class_weight(model.positive_weight),
        "resampling": _resampling(model),
        "selection": _selection(model, used),
        "baselines": {baseline.name: type(baseline.family).__name__ for baseline in model.baselines},
    }


def _judged(gates: Sequence[Gate], verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Every gate with its verdict, what did not pass first; a gate without verdict did not pass."""
    rules = {gate.name: gate.rule for gate in gates}
    found: dict[str, dict[str, Any]] = {name: {"name": name, "rule": rule} | NOT_JUDGED for name, rule in rules.items()}
    for verdict in verdicts:
        found[verdict.gate] = {"name": verdict.gate, "rule": rules.get(verdict.gate, "")} | _verdict(verdict)
    return sorted(found.values(), key=lambda gate: (not gate["stops"], bool(gate["passed"])))


def _verdict(verdict: Verdict) -> dict[str, Any]:
    waiver = verdict.waiver
    return {
        **{name: getattr(verdict, name) for name in NOT_JUDGED},
        "outcome": str(verdict.outcome),
        "waiver": waiver and {"author": waiver.author, "reason": waiver.reason, "expires": waiver.expires.isoformat()},
        "bound_to": jsonable(verdict.bound_to),
        "parts": [{"name": part.gate} | _verdict(part) for part in verdict.parts],
    }


def _status(judged: Sequence[Mapping[str, Any]]) -> str:
    stopped = [f"{gate['name']} ({gate['outcome']})" for gate in judged if gate["stops"]]
    waived = [f"{gate['name']} ({gate['outcome']})" for gate in judged if gate["waiver"]]
    if not judged:
        return "Not approved: no gate has judged this model."
    if stopped:
        return f"Not approved: {len(stopped)} of {len(judged)} gates did not pass: {', '.join(stopped)}."
    if waived:
        return f"Approved with {len(waived)} of {len(judged)} gates waived: {', '.join(waived)}."
    if advised := [f"{gate['name']} ({gate['outcome']})" for gate in judged if not gate["passed"]]:
        return f"Approved: no gate stopped it; {len(advised)} of {len(judged)} advise against it: {', '.join(advised)}."
    passed = {1: "the gate", 2: "both gates"}.get(len(judged), f"all {len(judged)} gates")
    return f"Approved: {passed} passed."


def _headline(evaluation: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """The metric that counts on the test rows, and the lead over the strongest rival."""
    leads = {
        name: score["lead"][metric]
        for name, score in evaluation["baselines"].items()
        if score["lead"].get(metric, {}).get("value") is not None
    }
    rival = min(leads, key=lambda name: leads[name]["value"], default="")
    undefined = {"value": None, "low": None, "high": None}
    return {
        "title": evaluation["titles"].get(metric, metric),
        "goal": evaluation["goals"].get(metric, ""),
        "estimate": evaluation["splits"].get("test", {}).get("metrics", {}).get(metric, undefined),
        "rival": rival,
        "lead": leads.get(rival, undefined),
    }


def _confusion(classes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Class by class, the most frequent ones first: how many of its rows are taken for each of the others shown."""
    order = sorted(range(len(classes)), key=lambda place: (-classes[place]["rows"], place))[:MOST_CLASSES]
    return [
        {
            "name": classes[row]["name"],
            "predicted": {classes[at]["name"]: classes[row]["predicted"][at] for at in order},
        }
        for row in order
    ]


def _class_weight(weight: float | str | None) -> str:
    if weight is None:
        return ""
    how = "as much in all as the others" if isinstance(weight, str) else f"{weight:g} times as much as others"
    return f"Training rows with label 1 count {how}, so predictions rank; they are not the shares that will be met."


def _resampling(model: TunedModel) -> str:
    if model.resampling is None:
        return ""
    return f"{model.resampling.rule} So predictions rank; they are not the shares that will be met."


def _selection(model: TunedModel, used: Mapping[str, Any]) -> str:
    """Which features it sees, and who said so."""
    if model.features is None:
        return ""
    every = len(model.dataset.view.feature_names)
    notes = " ".join(used["selection"].get("notes", ()))
    rule = f"{every - len(used['not_used'])} of {every}, chosen on training rows by {model.features.name}."
    return f"{rule} {model.features.rule} {notes}".strip()


def _label(label: Label | EventLabel) -> dict[str, Any]:
    return {
        "name": label.name,
        "description": label.description,
        "meaning": label.meaning,
        "learning": label.learning,
        "horizon_days": label.horizon_days,
        "entity": label.entity,
        "ranked_within": label.ranked_within or "",
        "population": label.population,
        "moments": label.moments,
    }


def _features(
    view: FeatureView, evaluation: Mapping[str, Any], lookback: Mapping[str, int], not_used: Mapping[str, str]
) -> list[dict[str, Any]]:
    """What the model sees, the most important first."""
    shap = {item["feature"]: item["mean_abs_shap"] for item in evaluation["importance"]}
    own = [
        {
            "name": name,
            "group": view.label.name,
            "meaning": view.meanings[name],
            "reads": [view.label.source.name],
            "lookback_days": 0,
            "mean_abs_shap": shap.get(name),
        }
        for name in view.label.attributes
    ]
    found = own + [
        {
            "name": name,
            "group": group.name,
            "meaning": feature.meaning,
            "reads": _reads(group, feature),
            "lookback_days": lookback.get(name, feature.lookback_days),
            "mean_abs_shap": shap.get(name),
        }
        for name, (group, feature) in view.joined.items()
        if name in view.feature_names
    ]
    told = [item | {"not_used": not_used.get(str(item["name"]), "")} for item in found]
    return sorted(told, key=lambda item: (bool(item["not_used"]), -(item["mean_abs_shap"] or 0.0), item["name"]))


def _reads(group: FeatureGroup, feature: Feature) -> list[str]:
    """The columns that a feature is made of, with their unit."""
    sources = (group.source, *(lookup.source for lookup in group.lookups))
    units = {column.name: column.unit for source in reversed(sources) for column in source.columns}
    read = [f"{name} ({units[name]})" if units.get(name) else name for name in feature.columns()]
    return read or [f"rows of {group.source.name}"]
