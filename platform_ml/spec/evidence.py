"""What gates need of test rows beside metrics: numbers that can be held against limits of any size."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from platform_ml.spec.fingerprint import ADDED

if TYPE_CHECKING:
    from collections.abc import Mapping

ALL, REST = "all", "rest"
SELECTION_RATE, TRUE_POSITIVE_RATE, FALSE_POSITIVE_RATE = "selection_rate", "true_positive_rate", "false_positive_rate"
RATES = (SELECTION_RATE, TRUE_POSITIVE_RATE, FALSE_POSITIVE_RATE)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A number of a slice beside the same number of other test rows, both on the same bootstrap resamples.

    From variances and covariance a gate tests a difference or a ratio of any size: resamples themselves are not kept.
    """

    measure: str
    """A metric's name, or one of `RATES`."""
    column: str
    value_of: str
    """The helper's value that the slice has in common."""
    against: str
    """`ALL` test rows, the slice among them, or the `REST` of them."""
    rows: int
    """Rows of the slice that the number is about: of a true positive rate those whose label is true."""
    entities: int
    """Of these rows; they depend on each other only within one."""
    reference_rows: int
    reference_entities: int
    value: float | None
    reference: float | None
    variance: float | None = None
    reference_variance: float | None = None
    covariance: float | None = None

    def __post_init__(self) -> None:
        for name in ("value", "reference", "variance", "reference_variance", "covariance"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                object.__setattr__(self, name, None)

    @property
    def title(self) -> str:
        """How reports call the slice."""
        return f"{self.column} = {self.value_of}"

    def spread(self, own: float, other: float) -> float | None:
        """Standard error of own * value + other * reference; None where resamples do not tell."""
        if self.variance is None or self.reference_variance is None or self.covariance is None:
            return None
        total = own**2 * self.variance + other**2 * self.reference_variance + 2 * own * other * self.covariance
        return math.sqrt(max(0.0, total))


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A share or an error of all test rows with its 95 % interval."""

    value: float | None = None
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        for name in ("value", "low", "high"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                object.__setattr__(self, name, None)


@dataclass(frozen=True, kw_only=True)
class Stability:
    """How a metric moves over the periods of the test rows that have enough of them, each weighted by its rows."""

    periods: int
    rows: int
    """Of these periods."""
    trend: Measured = field(default_factory=Measured)
    """By how much it is better in the last period than in the first, along a straight line; below 0 it falls."""
    spread: Measured = field(default_factory=Measured)
    """The standard deviation over periods, corrected for what chance adds."""


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything of an evaluation that only gates read."""

    compared: tuple[Compared, ...] = ()
    threshold: float | None = None
    """From which prediction on a row is selected: what the rates were counted at."""
    calibration: Measured = field(default_factory=Measured)
    """Of a binary label: the root of the Brier score's reliability, corrected for what chance adds."""
    covered: Measured = field(default_factory=Measured)
    """The share of test rows whose every feature is within what training rows had."""
    outside: Mapping[str, float] = field(default_factory=_nothing)
    """Feature → share of test rows outside of it, where there are any."""
    drift: Mapping[str, tuple[float, float]] = field(default_factory=_nothing)
    """Feature → its population stability index from training to test rows, and what chance explains."""
    champion: str | None = None
    """Digest of the model in use that was to be compared with; empty: there was none; None: nobody asked."""
    audit: Mapping[str, str] = field(default_factory=_nothing)
    """Leak check of the dataset → what it found; empty where it passed."""
    stability: Mapping[str, Stability] = field(default_factory=_nothing, metadata=ADDED)
    """Metric → how it moves over the periods of the test rows."""

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `EvaluationResult.to_json` gave."""
        values = dict(plain)
        values["compared"] = tuple(Compared(**one) for one in plain["compared"])
        values["calibration"], values["covered"] = Measured(**plain["calibration"]), Measured(**plain["covered"])
        values["stability"] = {
            name: Stability(**one | {"trend": Measured(**one["trend"]), "spread": Measured(**one["spread"])})
            for name, one in plain.get("stability", {}).items()
        }
        values["drift"] = {name: (index, chance) for name, (index, chance) in plain["drift"].items()}
        return cls(**values)

    def of(self, measure: str, against: str, column: str | None = None) -> list[Compared]:
        """The slices in which this was measured, of one column or of all."""
        return [
            one
            for one in self.compared
            if one.measure == measure and one.against == against and column in {None, one.column}
        ]
