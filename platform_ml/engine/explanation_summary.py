"""Explanations as a text for Dagster's pages and as tables for the tracker's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.card_content import jsonable
from platform_ml.engine.card_explanations import card_explanations
from platform_ml.engine.model_card import environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from platform_ml.spec.evaluation import EvaluationResult

    Table = tuple[Sequence[str], Iterable[Sequence[object]]]


def explanation_markdown(result: EvaluationResult) -> str:
    """The section of the card, without its plots; empty where nothing was explained."""
    meanings = {one.feature: one.meaning for one in result.importance}
    told = card_explanations(jsonable(result.to_json()), meanings)
    template = environment().get_template("card_explanations.md.j2")
    return template.render(explanations=told, drawn=()).strip()


def explanation_tables(result: EvaluationResult) -> dict[str, Table]:
    """File name → head and rows."""
    why = result.explanations
    if why is None:
        return {}
    return {
        "explanation_features.csv": (
            ("feature", "mean_abs_shap", "mean_shap", "loss_when_shuffled", "low", "high"),
            [(one.feature, one.mean_size, one.mean, one.loss, one.low, one.high) for one in why.effects],
        ),
        "explanation_slices.csv": (
            ("column", "value", "explained_rows", "feature", "mean_abs_shap", "mean_shap"),
            [
                (one.column, one.value, one.rows, of.feature, of.mean_size, of.mean)
                for one in why.slices
                for of in one.effects
            ],
        ),
        "explanation_interactions.csv": (
            ("first", "second", "strength", "share"),
            [(one.first, one.second, one.strength, one.share) for one in why.interactions],
        ),
        "explanation_partial_dependence.csv": (
            ("feature", "value", "mean_prediction", "share_of_rows"),
            [(one.feature, *point) for one in why.partial for point in one.points],
        ),
        "explanation_worst_errors.csv": (
            ("row", "entity", "moment", "truth", "prediction", "error", "feature", "value", "moved_by"),
            [
                (one.row, one.entity, one.moment, one.truth, one.prediction, one.error, of.feature, of.value, of.by)
                for one in why.worst
                for of in one.moved
            ],
        ),
    }
