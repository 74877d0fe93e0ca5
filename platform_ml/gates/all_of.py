"""Gates of which every one has to pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.gates.several import Several
from platform_ml.spec.gate import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class AllOf(Several):
    """Every one of these gates passes; one that fails decides, whatever the others still need."""

    words: ClassVar[str] = "All"

    @property
    def needed(self) -> int:
        """All of them."""
        return len(self.gates)

    def outcome(self, outcomes: Sequence[Outcome]) -> Outcome:
        """The worst one."""
        for worst in (Outcome.FAILED, Outcome.NOT_ENOUGH_EVIDENCE):
            if worst in outcomes:
                return worst
        return Outcome.PASSED
