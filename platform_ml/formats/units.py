"""Units that suppliers write in, and what they are in each other: exact, by definition."""

from __future__ import annotations

from fractions import Fraction

from platform_ml.spec.errors import DeclarationError, did_you_mean

UNITS = {
    "length": {
        "m": Fraction(1),
        "km": Fraction(1_000),
        "cm": Fraction(1, 100),
        "mi": Fraction("1609.344"),
        "yd": Fraction("0.9144"),
        "ft": Fraction("0.3048"),
    },
    "time": {
        "s": Fraction(1),
        "ms": Fraction(1, 1_000),
        "min": Fraction(60),
        "h": Fraction(3_600),
        "d": Fraction(86_400),
    },
    "mass": {"kg": Fraction(1), "g": Fraction(1, 1_000), "lb": Fraction("0.45359237")},
    "speed": {
        "m/s": Fraction(1),
        "km/h": Fraction(1_000, 3_600),
        "mph": Fraction("1609.344") / 3_600,
    },
    "frequency": {"1/min": Fraction(1), "bpm": Fraction(1)},
}
"""Quantity → unit → how many of the quantity's first unit it is (international yard and pound agreement of 1959)."""
CLOCK = "h:mm:ss"
"""A time as clocks write it, 1:02:03 or 62:03; seconds may have a fraction."""
KNOWN = tuple(name for units in UNITS.values() for name in units)


def factor(where: str, unit: str, into: str) -> Fraction:
    """How many of the second unit one of the first one is."""
    units = next((some for some in UNITS.values() if into in some), None)
    if units is None:
        raise DeclarationError(f"{where}: {_unknown(into, KNOWN)}")
    if unit == CLOCK and "s" in units:
        return units["s"] / units[into]
    if unit not in units and unit in (*KNOWN, CLOCK):
        raise DeclarationError(f"{where}: {unit!r} cannot be told in {into!r}. Declare units of the same quantity.")
    if unit not in units:
        raise DeclarationError(f"{where}: {_unknown(unit, (*units, CLOCK) if 's' in units else tuple(units))}")
    return units[unit] / units[into]


def _unknown(unit: str, known: tuple[str, ...]) -> str:
    return f"unit {unit!r} is not known.{did_you_mean(unit, known)} Known: {', '.join(known)}."
