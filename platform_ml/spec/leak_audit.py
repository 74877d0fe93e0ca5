"""From where on the rows of a training dataset are too good to be true."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_unique


@dataclass(frozen=True, kw_only=True)
class LeakAudit:
    """The limits of the leak audit; the audit itself cannot be switched off."""

    too_good: float = 0.98
    """From this area under the ROC curve (numbers: rank correlation) on, a single feature is taken for the label."""
    copies: float = 0.01
    """The share of test rows that may be copies of training rows beyond what chance explains."""
    tells_apart: float = 0.98
    """From this area under the ROC curve on, a single feature that tells train from test is warned of."""
    known_ahead: tuple[str, ...] = ()
    """Time columns that lie after the row's moment and are known at it all the same, such as a planned departure."""

    def __post_init__(self) -> None:
        for name in ("too_good", "tells_apart"):
            value = getattr(self, name)
            if not (isfinite(value) and 0.5 < value <= 1):  # noqa: PLR2004 - what chance gives
                raise DeclarationError(f"LeakAudit: {name} is {value}. Use more than 0.5, which is chance, up to 1.")
        if not (isfinite(self.copies) and 0 <= self.copies < 1):
            raise DeclarationError(f"LeakAudit: copies is {self.copies}. Use a share from 0 to below 1.")
        check_unique("LeakAudit", "time column", self.known_ahead)
