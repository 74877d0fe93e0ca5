"""Boosted trees with usual settings, to see which features they use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xgboost as xgb

    from platform_ml.selections.columns import Columns

THREADS = 1
USUAL = {"max_depth": 6, "learning_rate": 0.1, "min_child_weight": 5.0, "subsample": 0.8, "colsample_bytree": 0.8}
MOST_LEVELS = 10_000
"""Of more different texts a column is rather a name than a category: its rarer levels are taken as missing."""


def boosted(columns: Columns, *, rounds: int, seed: int) -> tuple[xgb.Booster, xgb.DMatrix]:
    """Fitted trees and the rows that they were fitted on; categories and nulls are taken as such."""
    import numpy as np
    import xgboost as xgb

    kinds = ["c" if text else "q" for text in columns.categories]
    values = np.where(columns.categories[None, :] & (columns.values >= MOST_LEVELS), np.nan, columns.values)
    data = xgb.DMatrix(
        values.astype(np.float32),
        columns.label,
        weight=columns.weight,
        feature_names=[f"f{place}" for place in range(len(kinds))],
        feature_types=kinds,
        enable_categorical=True,
        nthread=THREADS,
    )
    settings: dict[str, Any] = {"tree_method": "hist", "nthread": THREADS, "seed": seed, "verbosity": 0}
    booster = xgb.train(USUAL | settings | _objective(columns), data, num_boost_round=rounds)
    return booster, data


def _objective(columns: Columns) -> dict[str, Any]:
    if columns.of_numbers:
        return {"objective": "reg:squarederror"}
    binary = 2
    if columns.classes <= binary:
        return {"objective": "binary:logistic"}
    return {"objective": "multi:softprob", "num_class": columns.classes}
