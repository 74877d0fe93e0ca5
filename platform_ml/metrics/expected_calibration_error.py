"""Expected calibration error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.task import BINARY, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Groups = NDArray[np.int64]

USUAL = 10


@dataclass(frozen=True)
class ExpectedCalibrationError:
    """How far probabilities are from how often it happens, on average over rows, in bins of equal width.

    Naeini et al. (2015), Obtaining well calibrated probabilities using Bayesian binning. Chance alone makes it greater
    than 0, the more the fewer rows there are in a bin, and resampling adds as much again, so that its interval reaches
    further up than down. The gate `Calibrated` is judged on a number that is corrected for both.
    """

    bins: int = USUAL
    """Of the same width, from 0 to 1; a probability on an edge is in the upper one."""

    unit: ClassVar[str] = "probability"
    goal: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    task: ClassVar[Task] = BINARY

    def __post_init__(self) -> None:
        if self.bins < 1:
            raise DeclarationError(f"ExpectedCalibrationError: bins is {self.bins}; it is 1 or more.")

    @property
    def name(self) -> str:
        """expected_calibration_error, or expected_calibration_error_15_bins."""
        return "expected_calibration_error" + ("" if self.bins == USUAL else f"_{self.bins}_bins")

    @property
    def title(self) -> str:
        """As it is printed."""
        return "Expected calibration error" + ("" if self.bins == USUAL else f", {self.bins} bins")

    @property
    def definition(self) -> str:
        """In one sentence, with the bins."""
        return (
            f"Distance between mean probability and share of true rows in each of {self.bins} bins of equal width, "
            "averaged over the rows."
        )

    def score(self, truth: Numbers, prediction: Numbers, group: Groups | None = None) -> float:
        import numpy as np

        return float(self.resample(truth, prediction, np.ones((1, len(truth))))[0])

    def resample(self, truth: Numbers, prediction: Numbers, weights: Numbers, group: Groups | None = None) -> Numbers:
        import numpy as np

        scores = np.full(len(weights), np.nan)
        if not len(truth) or not ((prediction >= 0) & (prediction <= 1)).all():
            return scores
        place = np.searchsorted(np.arange(1, self.bins) / self.bins, prediction, side="right")
        apart = np.zeros(len(weights))
        for one in np.unique(place):
            rows = place == one
            # In one order and not by a BLAS product, so that one resample and many are added up alike.
            apart += np.abs(np.einsum("bn,n->b", np.ascontiguousarray(weights[:, rows]), (prediction - truth)[rows]))
        drawn = weights.sum(axis=1)
        np.divide(apart, drawn, out=scores, where=drawn > 0)
        return scores
