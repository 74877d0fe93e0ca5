"""Enough outcomes became known."""

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
class NewLabels:
    """At least so many rows of the view have a known outcome that the newest model was not made of."""

    rows: int

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise DeclarationError(f"NewLabels: {self.rows} rows are always there. Use 1 or more.")

    @property
    def name(self) -> str:
        """As it is called."""
        return "new_labels"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"{self.rows:,} rows with a known outcome are new since the newest model."

    @property
    def reason(self) -> Reason:
        """What a run is tagged with."""
        return Reason.NEW_DATA

    @property
    def reads(self) -> Reads:
        """The labelled rows."""
        return "labels"

    def check(self, evaluation: Evaluation) -> None:
        """Every view has labelled rows."""

    def judge(self, state: State) -> Answer:
        """Rows up to the newest cutoff that can be trained for."""
        since = f"new labelled rows since cutoff {state.trained}"
        what = since if state.trained else "labelled rows, and no model yet"
        fired = bool(state.newest) and state.new_rows >= self.rows
        return Answer(fired=fired, says=f"{state.new_rows:,} of {self.rows:,} {what}")
