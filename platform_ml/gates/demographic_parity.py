"""Every group is selected about as often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from platform_ml.gates.parity import Parity
from platform_ml.spec.evidence import SELECTION_RATE


@dataclass(frozen=True, kw_only=True)
class DemographicParity(Parity):
    """The share of rows that is selected is about the same in every group (Calders et al. 2009)."""

    prefix: ClassVar[str] = "demographic_parity"
    words: ClassVar[str] = "the share that is selected"

    @property
    def measures(self) -> tuple[str, ...]:
        """The selection rate."""
        return (SELECTION_RATE,)
