"""A hyper-parameter is a value or a range: configuration and search space are one thing."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from platform_ml.spec.errors import DeclarationError


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`, both included."""

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        _check(self, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class Between:
    """A number from `low` to `high`."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        _check(self, self.low, self.high, log=self.log)


Range = Whole | Between


def ranges(declaration: Any) -> dict[str, Range]:
    """The fields of a family that are searched."""
    values = {field.name: getattr(declaration, field.name) for field in fields(declaration)}
    return {name: value for name, value in values.items() if isinstance(value, Range)}


def _check(owner: Range, low: float, high: float, *, log: bool) -> None:
    if not low < high:
        raise DeclarationError(f"{owner!r}: low must be below high. Use the plain value {low} to fix it.")
    if log and low <= 0:
        raise DeclarationError(f"{owner!r}: a logarithmic range starts above 0.")
