"""A probability means what it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.gates.one_number import judged
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Measured
from platform_ml.spec.task import BINARY

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult
    from platform_ml.spec.gate import Verdict


@dataclass(frozen=True)
class Calibrated:
    """On the test rows probabilities differ from what happens by at most `limit`, as a quadratic mean.

    Over ten bins of about as many rows: the root of the reliability of the Brier score (Murphy 1973), less what chance
    adds to it. It is never smaller than the expected calibration error over these bins.
    """

    limit: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.limit < 1:
            raise DeclarationError(f"Calibrated: limit is {self.limit}; it is a probability above 0 and below 1.")

    @property
    def name(self) -> str:
        """As it is called."""
        return "calibrated"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"On the test rows, the calibration error is at most {self.limit:g}."

    def check(self, evaluation: Evaluation) -> None:
        """Refuse a label that is not binary, and a model whose predictions are no probabilities."""
        model = evaluation.model
        if model.task is not BINARY:
            raise DeclarationError(
                f"Evaluation {evaluation.name!r}: calibrated is for probabilities of a binary label."
            )

    def judge(self, result: EvaluationResult) -> Verdict:
        """Fail when the whole interval is above the limit."""
        return judged(
            self.name,
            result.evidence.calibration if result.evidence else Measured(),
            what="calibration error",
            limit=self.limit,
            at_least=False,
            rows=result.splits["test"].rows,
            advice="Look at the calibration plot: weights of classes, another share of true ones, or too few rounds.",
        )
