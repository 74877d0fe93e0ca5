"""How good predictions are, as one number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.spec.task import Task

Goal = Literal["maximize", "minimize"]


class Metric(Protocol):
    """A number computed from truth and prediction; that of a ranking also asks for the groups of the rows.

    The truth is (n,) as of `Rows.label`, the prediction as of `Predictor.predict`, a group (n,) as of `Rows.group`.
    """

    @property
    def name(self) -> str:
        """The field's name for it, as a metric of the tracker: letters, digits and underscores."""
        ...

    @property
    def title(self) -> str:
        """The name as it is printed."""
        ...

    @property
    def unit(self) -> str:
        """What one of it is: share, nats per row, the label's unit."""
        ...

    @property
    def definition(self) -> str:
        """What it means, in one sentence."""
        ...

    @property
    def task(self) -> Task:
        """The labels that it is for."""
        ...

    @property
    def goal(self) -> Goal:
        """Which direction is better."""
        ...

    def score(
        self, truth: NDArray[np.float64], prediction: NDArray[np.float64], group: NDArray[np.int64] | None = None
    ) -> float:
        """The metric of `n` rows; NaN when it is not defined on them (no rows, or all of one outcome)."""
        ...

    def resample(
        self,
        truth: NDArray[np.float64],
        prediction: NDArray[np.float64],
        weights: NDArray[np.float64],
        group: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """The metric of each of `b` bootstrap resamples; `weights` (b, n) says how often each row is drawn.

        The rows of a group are drawn together.
        """
        ...
