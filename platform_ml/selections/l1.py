"""Weights that a penalty leaves above zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.selections.columns import Columns, ranking
from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.spec.family import Rows
    from platform_ml.spec.selection import Asked, Ranking

STEPS = 1_000
MOST_LEVELS = 50


@dataclass(frozen=True, kw_only=True)
class L1:
    """Embedded: the absolute weights of a lasso, or of a logistic regression with an L1 penalty, by scikit-learn.

    Small is the mean loss of the rows + penalty * sum |w| (Tibshirani 1996). Columns are scaled; a null number is the
    median and marked by a column, a category has a column for each of its 50 most frequent levels; the weights of the
    columns of a feature are added up.
    """

    name: ClassVar[str] = "l1"
    decides: ClassVar[bool] = True

    penalty: float = 0.01
    most_rows: int = 50_000
    """Of more rows so many are looked at, evenly over the split."""

    def __post_init__(self) -> None:
        if not 0 < self.penalty < float("inf") or self.most_rows < 1:
            raise DeclarationError(f"L1: penalty={self.penalty} has to be above 0, and most_rows 1 or more.")

    @property
    def rule(self) -> str:
        """As a sentence."""
        return (
            f"Ranked by absolute weight in a linear model with an L1 penalty of {self.penalty:g}; weight 0 is dropped."
        )

    def rank(self, train: Rows, asked: Asked, *, seed: int) -> Ranking:
        """All features at once."""
        import numpy as np
        from threadpoolctl import threadpool_limits

        columns = Columns.of(train, most=self.most_rows)
        design, owners = _design(columns)
        with threadpool_limits(limits=1):  # sums of several threads are not the same to the last digit
            weights = self._weights(design, columns, seed)
        found = np.bincount(owners, weights=weights, minlength=len(columns.names)).astype(np.float64)
        if columns.of_numbers:  # in spreads of the label, so that scores do not depend on its unit
            found = found / (float(columns.label.std()) or 1.0)
        scores = dict(zip(columns.names, found.tolist(), strict=True))
        none = {name: "Its weight is 0." for name, weight in scores.items() if weight == 0}
        reasons = {name: f"Its weights add up to {weight:.4f}." for name, weight in scores.items()}
        return ranking(self.name, scores, reasons, drop=none)

    def _weights(self, design: NDArray[np.float64], columns: Columns, seed: int) -> NDArray[np.float64]:
        """(columns,) absolute, summed over the classes."""
        import warnings

        import numpy as np
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import Lasso, LogisticRegression

        model: Any
        if columns.of_numbers:
            model = Lasso(alpha=self.penalty * (float(columns.label.std()) or 1.0), max_iter=STEPS)
        else:
            total = len(columns.label) if columns.weight is None else float(columns.weight.sum())
            strength = {"C": 1 / (self.penalty * total), "l1_ratio": 1.0}
            model = LogisticRegression(solver="saga", max_iter=STEPS, tol=1e-3, random_state=seed, **strength)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(design, columns.label, sample_weight=columns.weight)
        found: NDArray[np.float64] = np.abs(np.atleast_2d(model.coef_)).sum(axis=0)
        return found


def _design(columns: Columns) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(n, columns) scaled, and the place of the feature that each is made of."""
    import numpy as np

    made: list[NDArray[np.float64]] = []
    owners: list[int] = []
    for place, text in enumerate(columns.categories):
        values = columns.values[:, place]
        null = np.isnan(values)
        if text:
            levels = range(min(MOST_LEVELS, int(np.nanmax(values)) + 1))
            some = [(values == level).astype(np.float64) for level in levels]
        else:
            some = [np.where(null, np.median(values[~null]), values)]
            some += [null.astype(np.float64)] if null.any() else []
        made += some
        owners += [place] * len(some)
    table = np.column_stack(made)
    spread = table.std(axis=0)
    return (table - table.mean(axis=0)) / np.where(spread > 0, spread, 1.0), np.asarray(owners)
