"""The families that competed for a model, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.choice import LEADER_BOARD

if TYPE_CHECKING:
    from platform_ml.spec.tuned_model import TunedModel


@dataclass(frozen=True, kw_only=True)
class LeaderBoard:
    """What every family scored on validation rows, what it costs, and why one of them was chosen."""

    model: TunedModel

    @property
    def name(self) -> str:
        """It is named after its model."""
        return self.model.name + LEADER_BOARD
