"""The ranges of the predictions hold what they promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.gates.one_number import judged
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Measured
from platform_ml.spec.gate import Outcome

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult
    from platform_ml.spec.gate import Verdict


@dataclass(frozen=True)
class IntervalsCover:
    """So many of the test rows have their truth within the interval, and, if that is declared, no more than so many.

    A share beyond a limit fails where its 95 % interval does not reach the limit; else more rows are asked for.
    """

    at_least: float
    """A little below the declared coverage: test rows come later than those that the intervals are made by."""
    at_most: float | None = None
    """Intervals that hold far more than was promised are wider than need be."""

    def __post_init__(self) -> None:
        if not 0 < self.at_least < (1 if self.at_most is None else self.at_most) <= 1:
            raise DeclarationError(
                f"IntervalsCover: at_least {self.at_least}, at_most {self.at_most} are no shares in order. Use numbers "
                "between 0 and 1, the smaller one first."
            )

    @property
    def name(self) -> str:
        """As it is called."""
        return "intervals_cover"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        most = "" if self.at_most is None else f" and at most {self.at_most:.4g}"
        return f"At least {self.at_least:.4g}{most} of the test rows have their truth within the prediction interval."

    def check(self, evaluation: Evaluation) -> None:
        """Refuse a model without intervals, and a limit that they do not promise to keep."""
        check_promised(evaluation, "IntervalsCover", self.at_least)
        declared = evaluation.model.intervals
        if declared is not None and self.at_most is not None and self.at_most < declared.coverage:
            raise DeclarationError(
                f"IntervalsCover: at_most is {self.at_most:g}, below the {declared.coverage:g} that model "
                f"{evaluation.model.name!r} promises. Raise it."
            )

    def judge(self, result: EvaluationResult) -> Verdict:
        """Too few truths within count first, then too many."""
        covered = result.intervals.covered if result.intervals else Measured()
        what, rows = "share of truths within their interval", result.splits["test"].rows
        least = judged(
            self.name,
            covered,
            what=what,
            limit=self.at_least,
            at_least=True,
            rows=rows,
            advice="Calibrate on rows nearer to the test period, or by the groups that are covered least.",
        )
        if self.at_most is None or least.outcome is not Outcome.PASSED:
            return least
        return judged(
            self.name,
            covered,
            what=what,
            limit=self.at_most,
            at_least=False,
            rows=rows,
            advice="Intervals are wider than need be: errors have shrunk since the rows that they are made by.",
        )


def check_promised(evaluation: Evaluation, gate: str, at_least: float) -> None:
    """Refuse a model without intervals, and a share above the one that they promise."""
    model = evaluation.model
    if model.intervals is None:
        raise DeclarationError(
            f"{gate}: model {model.name!r} has no intervals to judge. Declare intervals=Conformal(coverage=...)."
        )
    if at_least > model.intervals.coverage:
        raise DeclarationError(
            f"{gate}: at_least is {at_least:g}, but the intervals of model {model.name!r} promise "
            f"{model.intervals.coverage:g}. Ask for no more than that."
        )
