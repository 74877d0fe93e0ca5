"""Hits and false alarms are about as frequent in every group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from platform_ml.gates.parity import Parity
from platform_ml.spec.evidence import FALSE_POSITIVE_RATE, TRUE_POSITIVE_RATE


@dataclass(frozen=True, kw_only=True)
class EqualisedOdds(Parity):
    """Of true rows, and of false ones, about the same share is selected in every group (Hardt et al. 2016)."""

    prefix: ClassVar[str] = "equalised_odds"
    words: ClassVar[str] = "the share of true ones and of false ones that is selected"

    @property
    def measures(self) -> tuple[str, ...]:
        """The true and the false positive rate."""
        return (TRUE_POSITIVE_RATE, FALSE_POSITIVE_RATE)
