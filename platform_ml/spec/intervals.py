"""Ranges that predictions of numbers come with, and how often they held what happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any, Self

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Measured
from platform_ml.spec.naming import check_known, check_unique
from platform_ml.spec.schema import Boolean, Integer, Text
from platform_ml.spec.task import REGRESSION, check_task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.feature_view import FeatureView

LOWER, UPPER = "lower", "upper"
"""Columns of scores."""
COVERED = "interval_coverage"
"""What gates on slices call the share of rows whose truth lies within its interval."""


@dataclass(frozen=True, kw_only=True)
class Conformal:
    """A range around every prediction that holds the truth with this probability, by split conformal prediction.

    A share of the validation entities is kept apart: neither the search nor early stopping sees it, and how far off the
    model is there says how wide a range has to be. Rows that helped to choose the model would say too little; rows kept
    apart cost the search as many. Test rows have no part in it.

    Lei et al. (2018), Distribution-free predictive inference for regression, section 2.2; by groups it is that of Vovk,
    Gammerman and Shafer (2005), Algorithmic learning in a random world, section 4.5 (Mondrian). The promise is for rows
    that are exchangeable with those kept apart. Rows of another time are not quite: look at the measured coverage.
    """

    coverage: float = 0.9
    """How often the truth lies within the range."""
    by: tuple[str, ...] = ()
    """Features whose values make groups, each with a width of its own; the promise then holds within each group."""
    relative: bool = False
    """Whether errors count, and ranges grow, as a share of the prediction (Papadopoulos et al. 2011).

    For a label of great and of small numbers, such as times over several distances.
    """
    share: float = 0.5
    """Of the validation entities that are kept apart."""
    min_rows: int = 50
    """Groups with fewer rows kept apart have the width of all rows; the card names them."""

    def __post_init__(self) -> None:
        for name in ("coverage", "share"):
            if not 0 < getattr(self, name) < 1:
                raise DeclarationError(f"Conformal: {name} is {getattr(self, name)}; it lies between 0 and 1.")
        check_unique("Conformal", "column", self.by)
        if self.min_rows < self.fewest:
            raise DeclarationError(
                f"Conformal: min_rows is {self.min_rows}, but fewer than {self.fewest} rows cannot promise a coverage "
                f"of {self.coverage:g}. Use {self.fewest} or more."
            )

    @property
    def fewest(self) -> int:
        """Of rows, so that a range that is not infinite keeps the promise."""
        covered = Fraction(str(self.coverage))
        return ceil(covered / (1 - covered))

    def place(self, rows: int) -> int:
        """Which of so many errors in order is the width: the smallest one that keeps the promise for one more row.

        >>> Conformal(coverage=0.9).place(9), Conformal(coverage=0.9).place(99)
        (9, 90)
        """
        return ceil((rows + 1) * Fraction(str(self.coverage)))

    @property
    def rule(self) -> str:
        """As a sentence."""
        group = f" within each {' and '.join(self.by)}" if self.by else ""
        width = "as wide a share of the prediction" if self.relative else "as wide"
        return (
            f"Split conformal intervals that hold {self.coverage:.4g} of the truths{group}, {width} as the errors on "
            f"{self.share:.4g} of the validation entities say, which neither the search nor early stopping saw."
        )

    def check(self, where: str, view: FeatureView) -> None:
        """Refuse a label of no numbers, and groups by what is no feature or has no values in common."""
        check_task(where, "a prediction interval", [REGRESSION], view.label.task)
        check_known(f"Feature view {view.name!r}", "feature", self.by, view.feature_names)
        for name in self.by:
            if not isinstance(view.types[name], (Boolean, Integer, Text)):
                raise DeclarationError(
                    f"{where}: intervals by {name!r}, which is {view.types[name].sql}, have no groups. Use a text, a "
                    "Boolean or a whole number; derive one from it if need be."
                )


@dataclass(frozen=True, kw_only=True)
class Width:
    """How far ranges of a group reach to either side."""

    group: str
    """The values of the columns; empty: all rows."""
    rows: int
    """Kept apart, of the group."""
    half: float
    """In the label's unit, or as a share of the prediction."""
    own: bool = True
    """Whether its own rows said so; else they were too few, and all of them did."""


@dataclass(frozen=True, kw_only=True)
class IntervalPart:
    """Intervals of some of the test rows; with too few of them nothing is defined."""

    column: str
    value: str
    rows: int
    covered: Measured = field(default_factory=Measured)
    """The share of rows whose truth lies within the interval."""
    width: float | None = None
    """Of an interval, on average, in the label's unit."""

    @property
    def title(self) -> str:
        """How reports call it."""
        return f"{self.column} = {self.value}"


@dataclass(frozen=True, kw_only=True)
class IntervalScore:
    """What was promised of the intervals, how wide they are, and what the test rows say."""

    promised: float
    rule: str
    widths: tuple[Width, ...]
    """Of all rows first, then of each group."""
    relative: bool = False
    covered: Measured = field(default_factory=Measured)
    """The share of test rows whose truth lies within the interval."""
    width: float | None = None
    """Of an interval, on average, in the label's unit."""
    parts: tuple[IntervalPart, ...] = ()
    """By the groups, the slices and the periods of the evaluation."""

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `EvaluationResult.to_json` gave."""
        values = dict(plain) | {"covered": Measured(**plain["covered"])}
        values["widths"] = tuple(Width(**one) for one in plain["widths"])
        values["parts"] = tuple(IntervalPart(**one | {"covered": Measured(**one["covered"])}) for one in plain["parts"])
        return cls(**values)
