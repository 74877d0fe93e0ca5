"""A model serves every group about as well."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.gate import Outcome, Verdict
from platform_ml.spec.naming import check_known

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult, Slice

NAMED = 3
"""Slices without enough data that a reason names; the table of slices has them all."""


@dataclass(frozen=True)
class SlicesWithin:
    """No slice of the test rows falls more than `margin` below all of them."""

    metric: str
    """The evaluation's first."""
    margin: float
    """In the metric's own unit, whichever direction is better."""
    min_rows: int = 100
    """Smaller slices are named, not judged: with 30 rows a fair model is stopped by chance alone."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.margin) and self.margin >= 0):
            raise DeclarationError(f"SlicesWithin on {self.metric!r}: margin is {self.margin}; it is 0 or more.")
        if self.min_rows < 1:
            raise DeclarationError(f"SlicesWithin on {self.metric!r}: min_rows is {self.min_rows}; it is 1 or more.")

    @property
    def name(self) -> str:
        """slices_within_roc_auc."""
        return f"slices_within_{self.metric}"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return (
            f"On every slice of at least {self.min_rows:,} test rows, {self.metric} is at most {self.margin:g} worse "
            "than on all test rows."
        )

    def check(self, evaluation: Evaluation) -> None:
        """Refuse a metric that slices are not compared by, and an evaluation without slices."""
        where = f"Evaluation {evaluation.name!r}"
        known = [metric.name for metric in evaluation.metrics]
        check_known(where, "metric", [self.metric], known)
        if self.metric != known[0]:
            raise DeclarationError(f"{where} compares slices by {known[0]!r}. Put {self.metric!r} first in metrics.")
        if not evaluation.slices:
            helpers = evaluation.model.dataset.view.helper_names
            choice = f"Choose from {', '.join(helpers)}" if helpers else "Give the view helpers to slice by"
            raise DeclarationError(f"{where} has no slices for {self.name} to judge. {choice}.")

    def judge(self, result: EvaluationResult) -> Verdict:
        """Compare the point value of every gap; slices without enough data are named and never count as passed."""
        judged, unjudged = [], []
        for one in result.slices:
            if one.gap.value is None or one.rows < self.min_rows or self.metric not in one.metrics:
                unjudged.append(one)
            else:
                judged.append((one.gap.value, one))
        judged.sort(key=lambda pair: pair[0])
        below = [one for gap, one in judged if gap < -self.margin]
        shown = below or [one for _, one in judged[:1]]
        parts = [f"{len(judged)} of {len(result.slices)} slices judged by {self.metric}, margin {self.margin:g}"]
        if shown:
            label = "too far below all test rows" if below else "worst, against all test rows"
            parts.append(f"{label}: {', '.join(map(_gap, shown))}")
        if unjudged:
            named = ", ".join(one.title for one in unjudged[:NAMED])
            more = f" and {len(unjudged) - NAMED} more" if len(unjudged) > NAMED else ""
            parts.append(f"not enough data: {named}{more}")
        if not judged:
            outcome = Outcome.NOT_ENOUGH_EVIDENCE
            advice = (
                f"Slice by a column whose values have at least {self.min_rows:,} test rows of different outcomes, or "
                "test on more rows."
            )
        elif below:
            outcome = Outcome.FAILED
            advice = (
                "Look for features that mean something else there and for slices with few training rows; where the "
                "interval reaches across the margin, more test rows would tell chance from bias."
            )
        else:
            outcome, advice = Outcome.PASSED, ""
        worst = judged[0][1] if judged else None
        return Verdict(
            gate=self.name,
            outcome=outcome,
            reason="; ".join(parts) + ".",
            advice=advice,
            value=worst.gap.value if worst else None,
            limit=-self.margin,
            low=worst.gap.low if worst else None,
            high=worst.gap.high if worst else None,
            rows=worst.rows if worst else None,
            rows_needed=self.min_rows if result.slices and not judged else None,
        )


def _gap(one: Slice) -> str:
    return f"{one.title} {one.gap} ({one.rows:,} rows)"
