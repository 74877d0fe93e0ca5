"""The ranges of the predictions hold what they promise on every slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.gates.intervals_cover import check_promised
from platform_ml.gates.slices import Held, PerSlice
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.intervals import COVERED
from platform_ml.spec.naming import check_known

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.evidence import Compared


@dataclass(frozen=True)
class SliceIntervalsCover(PerSlice):
    """On no slice, and in no group of the intervals, are fewer truths within them than so many, as far as rows tell."""

    at_least: float
    by: str | None = None
    """The one column whose slices are judged; None: those of all columns, and the groups of the intervals."""

    def __post_init__(self) -> None:
        self.check_support("SliceIntervalsCover")
        if not 0 < self.at_least < 1:
            raise DeclarationError(f"SliceIntervalsCover: at_least is {self.at_least}; it lies between 0 and 1.")

    @property
    def name(self) -> str:
        """slice_intervals_cover, slice_intervals_cover_by_distance."""
        return f"slice_intervals_cover_by_{self.by.replace(' ', '_')}" if self.by else "slice_intervals_cover"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        of = f" by {self.by}" if self.by else ""
        return (
            f"On no slice{of} of at least {self.min_rows:,} test rows is it shown, corrected for how many there are, "
            f"that fewer than {self.at_least:.4g} of the truths lie within their prediction interval."
        )

    @property
    def judged_by(self) -> str:
        """The share of truths within their intervals, at least 0.85."""
        return f"the share of truths within their intervals, at least {self.at_least:.4g}"

    @property
    def measures(self) -> tuple[str, ...]:
        """The share of truths within."""
        return (COVERED,)

    @property
    def only(self) -> str | None:
        """The column, if one was named."""
        return self.by

    def check(self, evaluation: Evaluation) -> None:
        """Refuse a model without intervals, a limit that they do not promise, and having no such slices."""
        check_promised(evaluation, "SliceIntervalsCover", self.at_least)
        declared = evaluation.model.intervals
        groups = [" and ".join(declared.by)] if declared and declared.by else []
        if not groups:
            self.check_slices(evaluation)
        elif self.by is not None:
            check_known(f"Evaluation {evaluation.name!r}", "slice column", [self.by], [*evaluation.sliced_by, *groups])

    def held(self, one: Compared, value: float, _reference: float, _goal: str) -> Held:
        """The share against the limit."""
        error = one.spread(1, 0)
        return Held(value=value, limit=self.at_least, excess=self.at_least - value, error=error, value_error=error)
