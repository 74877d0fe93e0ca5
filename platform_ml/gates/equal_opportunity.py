"""Those who deserve it are found about as often in every group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from platform_ml.gates.parity import Parity
from platform_ml.spec.evidence import TRUE_POSITIVE_RATE


@dataclass(frozen=True, kw_only=True)
class EqualOpportunity(Parity):
    """Of rows whose label is true, about the same share is selected in every group (Hardt, Price and Srebro 2016)."""

    prefix: ClassVar[str] = "equal_opportunity"
    words: ClassVar[str] = "the share of true ones that is selected"

    @property
    def measures(self) -> tuple[str, ...]:
        """The true positive rate."""
        return (TRUE_POSITIVE_RATE,)
