"""Which parts of the test rows are looked at on their own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from platform_ml.spec.errors import DeclarationError, did_you_mean
from platform_ml.spec.naming import check_known
from platform_ml.spec.schema import NUMBERS

if TYPE_CHECKING:
    from platform_ml.spec.feature_view import FeatureView

Period = Literal["day", "week", "month", "quarter"]
PERIODS: tuple[Period, ...] = ("day", "week", "month", "quarter")
SUPPORT = 30
"""Rows from which on a part of the test rows is measured, unless another number is declared."""
FOUND = "found"
"""What slices are called that nobody declared: their value is the rule that was found."""
DEPTH = range(1, 6)


@dataclass(frozen=True)
class Bands:
    """Ranges of a number, each a slice: with about as many test rows each, or between declared edges.

    `Bands("age", 4)`, or `Bands("days_since_last_365d", edges=(7, 30, 90))`: how good is it, by time since something?
    """

    column: str
    """A helper or a feature of the view."""
    count: int = 4
    """How many, where no edges are declared; fewer where many rows have the same number."""
    edges: tuple[float, ...] = ()
    """Where a band ends; a number on an edge is in the lower band."""

    def __post_init__(self) -> None:
        where = f"Bands of {self.column!r}"
        if self.count < 2:  # noqa: PLR2004 - one band is no slice
            raise DeclarationError(f"{where}: count is {self.count}; it is 2 or more.")
        if not all(map(math.isfinite, self.edges)) or list(self.edges) != sorted(set(self.edges)):
            raise DeclarationError(f"{where}: edges are numbers, the least first: {self.edges}.")


Part: TypeAlias = str | Bands
Slicing: TypeAlias = Part | tuple[Part, Part]


@dataclass(frozen=True, kw_only=True)
class WeakSlices:
    """Parts of the rows where the model errs most, found by a small tree on the errors of the validation rows.

    What is found by looking for errors looks worse than it is: the rules are found on validation rows, and their
    numbers are those of the test rows. Chung et al. (2019), Slice Finder: automated data slicing for model validation.
    """

    depth: int = 3
    """The most conditions of a rule."""
    most: int = 5
    """Rules that are measured, the worst of validation first."""
    leaf_rows: int = 100
    """The fewest validation rows of a rule."""

    def __post_init__(self) -> None:
        if self.depth not in DEPTH:
            raise DeclarationError(f"WeakSlices: depth is {self.depth}; a readable rule has 1 to 5 conditions.")
        for name in ("most", "leaf_rows"):
            if getattr(self, name) < 1:
                raise DeclarationError(f"WeakSlices: {name} is {getattr(self, name)}; it is 1 or more.")


def name_of(slicing: Slicing) -> str:
    """What the slices are by: the column, or both.

    >>> name_of("region"), name_of(("region", Bands("age", 4)))
    ('region', 'region and age')
    """
    parts = slicing if isinstance(slicing, tuple) else (slicing,)
    return " and ".join(part.column if isinstance(part, Bands) else part for part in parts)


def check_slicing(view: FeatureView, slicing: Slicing) -> None:
    """Refuse what the view has no column for, bands of what is no number, and a pair of one column."""
    where = f"Feature view {view.name!r}"
    parts = slicing if isinstance(slicing, tuple) else (slicing,)
    if isinstance(slicing, tuple) and len({name_of(part) for part in slicing}) != 2:  # noqa: PLR2004 - a pair
        raise DeclarationError(f"Slices by {slicing!r}: a pair is of two different columns.")
    for part in parts:
        if isinstance(part, Bands):
            known = [*view.helper_names, *view.feature_names]
            check_known(where, "helper or feature", [part.column], known)
            if not isinstance(view.types[part.column], NUMBERS):
                kind = view.types[part.column].sql
                raise DeclarationError(
                    f"{where}: {part.column!r} is {kind}, but bands are of numbers. Slice by its values."
                )
        else:
            check_known(where, "helper column", [part], view.helper_names)


def check_period(where: str, period: str | None) -> None:
    """Refuse a length of time that a calendar does not have."""
    if period is not None and period not in PERIODS:
        choice = did_you_mean(period, PERIODS) or f" Choose from {', '.join(PERIODS)}."
        raise DeclarationError(f"{where}: {period!r} is no period.{choice}")
