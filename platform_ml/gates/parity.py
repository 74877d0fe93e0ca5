"""What the gates on how a binary model treats groups have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from platform_ml.gates.slices import Held, PerSlice, degrees, quantile
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import REST
from platform_ml.spec.task import BINARY

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.evidence import Compared
    from platform_ml.spec.gate import Verdict


@dataclass(frozen=True, kw_only=True)
class Parity(PerSlice):
    """Rates of the groups of one column are alike: each group's beside that of all other rows, too high or too low.

    Rows are selected from the evaluation's threshold on. Say how far apart rates may be as a difference or as a ratio
    of the lower one to the higher one: 0.8 is the rule of four fifths (EEOC 1978, 29 CFR 1607.4).
    """

    column: str
    """A helper that the evaluation slices by."""
    difference: float | None = None
    ratio: float | None = None
    min_rows: int = field(default=30, kw_only=True)

    against: ClassVar[str] = REST
    sides: ClassVar[int] = 2
    prefix: ClassVar[str]
    """What its name begins with."""
    words: ClassVar[str]
    """The rates as a sentence calls them."""

    def __post_init__(self) -> None:
        where = f"{type(self).__name__} by {self.column!r}"
        self.check_support(where)
        if (self.difference is None) == (self.ratio is None):
            raise DeclarationError(f"{where}: give a difference or a ratio, one of the two.")
        if self.difference is not None and not 0 <= self.difference < 1:
            raise DeclarationError(f"{where}: difference is {self.difference}; it is 0 or more and below 1.")
        if self.ratio is not None and not 0 < self.ratio <= 1:
            raise DeclarationError(f"{where}: ratio is {self.ratio}; it is above 0 and at most 1, lower over higher.")

    @property
    def name(self) -> str:
        """equal_opportunity_by_gender."""
        return f"{self.prefix}_by_{self.column}"[:63]

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return (
            f"For no group by {self.column} of at least {self.min_rows:,} test rows is it shown, corrected for how "
            f"many there are, that {self.words} and that of all others are {self._apart}."
        )

    @property
    def _apart(self) -> str:
        if self.difference is not None:
            return f"more than {self.difference:g} apart"
        return f"further apart than {self.ratio:g} to 1"

    @property
    def judged_by(self) -> str:
        """The selection rate against all others, limit 0.1."""
        what = "difference" if self.ratio is None else "lower over higher"
        return (
            f"{self.words} against all others, {what}, limit {self.difference if self.ratio is None else self.ratio:g}"
        )

    @property
    def only(self) -> str | None:
        """The groups that are looked at."""
        return self.column

    def check(self, evaluation: Evaluation) -> None:
        """Refuse labels that are not binary, an evaluation without threshold, and one without these slices."""
        where = f"Evaluation {evaluation.name!r}"
        if evaluation.model.task is not BINARY:
            raise DeclarationError(f"{where}: {self.name} is for a binary label, which alone selects rows.")
        if evaluation.threshold is None:
            raise DeclarationError(
                f"{where} has no threshold, so {self.name} cannot know who is selected. Declare threshold=0.5, or "
                "whichever prediction decides."
            )
        self.check_slices(evaluation)

    def held(self, one: Compared, value: float, reference: float, _goal: str) -> Held:
        """The absolute difference, or the lower rate over the higher one."""
        one = _as_sure_as_counts_allow(one, value, reference)
        low, high = min(value, reference), max(value, reference)
        own = -1.0 if value <= reference else 1.0
        if self.difference is not None:
            error = one.spread(1, -1)
            return Held(
                value=high - low,
                limit=self.difference,
                excess=high - low - self.difference,
                error=error,
                value_error=error,
            )
        limit = self.ratio or 1.0
        found = low / high if high else math.nan
        spread = one.spread(1, -found) if own < 0 else one.spread(found, -1)
        return Held(
            value=found,
            limit=limit,
            excess=limit * high - low if high else math.nan,
            error=one.spread(1, -limit) if own < 0 else one.spread(limit, -1),
            value_error=spread / high if spread is not None and high else None,
        )

    def _part(self, one: Compared, held: Held | None, probability: float | None, tests: int) -> Verdict:
        """Say both rates, too: how far they are apart does not tell how high they are."""
        part = super()._part(one, held, probability, tests)
        if part.low is None or one.value is None or one.reference is None:
            return part
        sure, half = _as_sure_as_counts_allow(one, one.value, one.reference), quantile(degrees(one))
        own, other = half * (sure.spread(1, 0) or 0.0), half * (sure.spread(0, 1) or 0.0)
        rates = f"{_rate(one.value, own)} against {_rate(one.reference, other)}"
        return replace(part, reason=f"{rates}: {part.reason}")


def _rate(value: float, half: float) -> str:
    return f"{value:.3f} [{max(0.0, value - half):.3f}, {min(1.0, value + half):.3f}]"


def _as_sure_as_counts_allow(one: Compared, value: float, reference: float) -> Compared:
    """Resamples of a group that was always, or never, selected do not differ, and yet its rate is not known for sure.

    So no variance is below that of the rate, and of the rate of all others, with two more hits and two more misses:
    Agresti and Coull (1998), Approximate is better than "exact" for interval estimation of binomial proportions.
    """
    if one.variance is None or one.reference_variance is None:
        return one
    return replace(
        one,
        variance=max(one.variance, *(_least_variance(rate, one.entities) for rate in (value, reference))),
        reference_variance=max(one.reference_variance, _least_variance(reference, one.reference_entities)),
    )


def _least_variance(rate: float, count: int) -> float:
    moved = (rate * count + 2) / (count + 4)
    return moved * (1 - moved) / (count + 4)
