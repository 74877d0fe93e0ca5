"""Gates of which one has to pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.gates.several import Several
from platform_ml.spec.gate import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class AnyOf(Several):
    """At least one of these gates passes; it fails only where all of them do."""

    words: ClassVar[str] = "One"

    @property
    def needed(self) -> int:
        """One of them."""
        return 1

    def outcome(self, outcomes: Sequence[Outcome]) -> Outcome:
        """The best one."""
        for best in (Outcome.PASSED, Outcome.NOT_ENOUGH_EVIDENCE):
            if best in outcomes:
                return best
        return Outcome.FAILED
