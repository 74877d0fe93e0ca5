"""The model is old."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.reason import Reason
from platform_ml.spec.trigger import Answer

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.trigger import Reads, State


@dataclass(frozen=True, kw_only=True)
class Every:
    """The newest cutoff is at least so many days later than that of the newest model.

    It goes by cutoffs, not by the clock: where nothing new is known, training again would give the same model.
    """

    days: int

    def __post_init__(self) -> None:
        if self.days < 1:
            raise DeclarationError(f"Every: {self.days} days are no time. Use 1 or more.")

    @property
    def name(self) -> str:
        """As it is called."""
        return "every"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"The newest cutoff is {self.days:,} days later than that of the newest model."

    @property
    def reason(self) -> Reason:
        """What a run is tagged with."""
        return Reason.SCHEDULE

    @property
    def reads(self) -> Reads:
        """The cutoffs of the labelled rows."""
        return "labels"

    def check(self, evaluation: Evaluation) -> None:
        """Every model has a cutoff."""

    def judge(self, state: State) -> Answer:
        """The first model is due at once."""
        if not state.newest:
            return Answer(fired=False, says="no cutoff has all of its rows yet")
        if not state.trained:
            return Answer(fired=True, says=f"no model yet, and cutoff {state.newest} has all of its rows")
        says = f"{state.new_days:,} of {self.days:,} days from cutoff {state.trained} to the newest, {state.newest}"
        return Answer(fired=state.new_days >= self.days, says=says)
