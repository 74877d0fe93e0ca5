"""How far each feature moved what a model says of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from platform_ml.spec.task import RANKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Predictor
    from platform_ml.spec.task import Task

LOG_ODDS, PROBABILITY, LABEL, SCORE = "log odds", "probability", "the label's unit", "score"
"""What outputs are in. Of log odds of several classes the probabilities are the softmax."""
TREE_SHAP, LINEAR_SHAP, INTEGRATED_GRADIENTS = "tree_shap", "linear_shap", "integrated_gradients"
"""Ways in which families explain themselves."""


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """Rows add up: the base and the values of all features are the output (additivity, also called completeness)."""

    values: NDArray[np.float64]
    """(n, features, outputs); of several classes there is an output for each, else one."""
    base: NDArray[np.float64]
    """(n, outputs) what the model says where nothing is known of a row; most methods have the same for all rows."""
    unit: str
    """What outputs are in."""
    leftover: float = 0.0
    """The most that the method itself left unexplained of an output, before it was divided among the features."""

    @property
    def flat(self) -> NDArray[np.float64]:
        """(n, features) the values of the one output; of several their mean size."""
        found: NDArray[np.float64] = self.values[:, :, 0] if self.values.shape[2] == 1 else self.sizes
        return found

    @property
    def sizes(self) -> NDArray[np.float64]:
        """(n, features) how far each moved the outputs, up or down; of several outputs on average."""
        found: NDArray[np.float64] = abs(self.values).mean(axis=2)
        return found

    @property
    def outputs(self) -> NDArray[np.float64]:
        """(n, outputs) what all of it adds up to."""
        found: NDArray[np.float64] = self.base + self.values.sum(axis=1)
        return found


@runtime_checkable
class Attributing(Protocol):
    """A fitted model that can say by itself which feature moved what it says."""

    @property
    def explained_by(self) -> str | None:
        """In which way; None: this one cannot."""
        ...

    def attribution(self, rows: pa.Table) -> Attribution:
        """Of these rows, for each of their features."""
        ...


@runtime_checkable
class Interacting(Protocol):
    """A fitted model that can also say what two features move together beyond what each does alone."""

    def interactions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """(n, features, features) SHAP interaction values, of several classes their mean sizes; None: this one cannot.

        A pair has half of its interaction at each of its two places (Lundberg et al. 2020).
        """
        ...


def explained_by(predictor: Predictor) -> str | None:
    """In which way a model explains itself; None: in none."""
    return predictor.explained_by if isinstance(predictor, Attributing) else None


def interactions(predictor: Predictor, rows: pa.Table) -> NDArray[np.float64] | None:
    """What a model says itself of pairs of features; None: nothing."""
    return predictor.interactions(rows) if isinstance(predictor, Interacting) else None


def unit_of(task: Task) -> str:
    """What sums of weights or of leaves are in."""
    if task.in_classes:
        return LOG_ODDS
    return SCORE if task is RANKING else LABEL
