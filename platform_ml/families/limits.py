"""Between which bounds a hyper-parameter is sensible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.space import Range

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    Limits = Mapping[str, tuple[float, float]]


def check_limits(family: Any, limits: Limits, *, above: Collection[str] = ()) -> None:
    """Refuse a value, or a range that reaches, out of bounds; those in `above` must be greater than the lower one."""
    for name, (low, high) in limits.items():
        value = getattr(family, name)
        ends = (value.low, value.high) if isinstance(value, Range) else (value, value)
        if not low <= ends[0] <= ends[1] <= high or (name in above and ends[0] == low):
            start = "above" if name in above else "from"
            raise DeclarationError(
                f"{type(family).__name__}: {name}={value!r} is out of bounds. Use {start} {low} to {high}."
            )
