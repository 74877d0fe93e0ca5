"""What a card says of why its model predicts what it does: the numbers of the evaluation, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from platform_ml.engine.card_text import number, places

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_FEATURES = 20
MOST_APART = 3
"""Of a slice, so many features are named."""
MOST_MOVED = 3
"""Of an error, too."""


def card_explanations(evaluation: Mapping[str, Any], meanings: Mapping[str, str]) -> dict[str, Any]:
    """What the templates print; empty where the evaluation has no explanations."""
    why = evaluation.get("explanations")
    if not why:
        return {}
    effects = why["effects"]
    at = places(one["mean_size"] for one in effects)
    whole = {one["feature"]: one["mean"] for one in effects}
    return {
        "summary": _summary(why, evaluation["task"]),
        "at": at,
        "losses_at": places(one["loss"] for one in effects),
        "effects": effects[:MOST_FEATURES],
        "hidden": max(0, len(effects) - MOST_FEATURES),
        "slices": [_slice(one, whole, at) for one in why["slices"]],
        "pairs": [one for one in why["interactions"] if one["strength"]],
        "pairs_at": places(one["strength"] for one in why["interactions"]),
        "worst": [_worst(one, why["unit"], meanings) for one in why["worst"]],
        "how_to_read": _how_to_read(why),
        **{name: why[name] for name in ("metric", "shuffled", "interactions_by")},
    }


def _how_to_read(why: Mapping[str, Any]) -> str:
    """What dots, bars and hollow dots mean, and which features are lists."""
    curves = {one["feature"] for one in why["partial"]}
    lists = [one["feature"] for one in why["dependence"] if one["feature"] not in curves]
    said = (
        "Where dots of one value lie apart, other features have a say in what it moves. Where hardly any test rows are "
        "near a value, the mean prediction is hollow: the model guesses."
    )
    if not lists:
        return said
    return f"{said} Of lists there is no mean prediction; their dots stand at the number of elements: {_listed(lists)}."


def _summary(why: Mapping[str, Any], task: str) -> str:
    """How it was explained, of how many rows, and how well it adds up."""
    of = "all" if why["rows"] == why["of"] else f"{number(why['rows'])} of"
    rows = f"{of} {number(why['of'])} test rows are explained"
    against = f", against {number(why['background'])} training rows" if why["method"] == "permutation_shap" else ""
    gap = f"{why['gap']:.1e}" if why["gap"] else "0"
    parts = [
        f"{rows[0].upper()}{rows[1:]}{against}, in {why['unit']}. {why['rule']}",
        f"What moves a prediction adds up to it; the furthest a row is off is {gap}.",
    ]
    if why["leftover"]:
        parts.append(
            f"The most that was left unexplained, and divided among the features, is {number(why['leftover'])}."
        )
    if why["output"]:
        parts.append(
            f"Sizes are means over the classes; signs and plots are of {why['output']}, the most frequent class."
        )
    if task == "ranking":
        parts.append("A score only means something beside those of its group.")
    return " ".join(parts)


def _slice(one: Mapping[str, Any], whole: Mapping[str, float], at: int) -> dict[str, Any]:
    """What moves its rows most, and what moves them otherwise than all rows."""
    sizes = sorted(one["effects"], key=lambda effect: -effect["mean_size"])[:MOST_APART]
    apart = [(effect["feature"], effect["mean"] - whole[effect["feature"]]) for effect in one["effects"]]
    apart = sorted(apart, key=lambda item: -abs(item[1]))[:MOST_APART]
    return {
        "column": one["column"],
        "value": one["value"],
        "rows": one["rows"],
        "most": _listed([f"{effect['feature']} {number(effect['mean_size'], at)}" for effect in sizes]),
        "apart": _listed([f"{name} {number(by, at, signed=True)}" for name, by in apart]),
    }


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts) or "not enough data"


def _worst(one: Mapping[str, Any], unit: str, meanings: Mapping[str, str]) -> dict[str, Any]:
    """Who and when, and what moved the prediction, in words."""
    what = f"the {unit} of {one['output']}" if one["output"] else "it"
    in_unit = "" if one["output"] else f" {unit}" if unit == "log odds" else ""
    moved = []
    for part in one["moved"][:MOST_MOVED]:
        meaning = meanings.get(part["feature"], "").rstrip(".")
        said = f"{part['feature']} = {part['value']}" + (f" ({meaning})" if meaning else "")
        way = "raised" if part["by"] > 0 else "lowered"
        moved.append(f"{said} {way} {what} by {number(abs(part['by']))}{in_unit}.")
    shown = {name: one[name] if isinstance(one[name], str) else number(one[name]) for name in ("truth", "prediction")}
    return {**one, **shown, "words": moved}
