"""What follows an event: rows of another source become its label."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_known, check_unique
from platform_ml.spec.schema import Timestamp, check_same_type
from platform_ml.spec.window import check_length

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.label import Outcome
    from platform_ml.spec.schema import Type
    from platform_ml.spec.source import Source


@dataclass(frozen=True, kw_only=True)
class Response:
    """What follows a row of a source, in the events of another one: a click after a view, a redemption after a mail.

    Events count from the moment of prediction on (inclusive) to the end (exclusive), which is also when the outcome is
    known. Rows whose time the other source does not cover from beginning to end are not labelled.
    """

    source: Source
    """Where what follows is found: a source with event time."""
    on: tuple[str, ...]
    """The columns that an event and the row it answers have in common."""
    outcome: Outcome
    """What of those events is the label; its days are the longest that is waited for."""
    until: str | None = None
    """The row's column of the moment at which nothing counts any more; None, or null in a row: the outcome's days."""
    lead: timedelta = timedelta(0)
    """How long before the row's event time the prediction is made."""

    def __post_init__(self) -> None:
        where = f"Response in {self.source.name!r}"
        check_length(where, "a lead", self.lead)
        if self.lead < timedelta(0):
            raise DeclarationError(f"{where}: a lead of {self.lead} predicts after the event. Use zero or more.")
        if self.source.cadence is None:
            raise DeclarationError(f"{where}: the source has no event time, so nothing follows.")
        if self.horizon_days < 1:
            raise DeclarationError(f"{where}: a horizon has at least 1 day, not {self.horizon_days}.")
        check_length(where, "a horizon", timedelta(days=min(self.horizon_days, 10**6)))
        if not self.on:
            raise DeclarationError(f"{where}: say in `on` by which columns an event answers a row.")
        check_unique(where, "column", self.on)
        check_known(f"Source {self.source.name!r}", "column", [*self.on, *self.outcome.columns()], self.source.types)
        self.outcome.result(self.source.types)

    @property
    def horizon_days(self) -> int:
        """How many days after the moment of prediction the outcome is known at the latest."""
        return self.outcome.horizon_days

    @property
    def type(self) -> Type:
        """The type of the outcome."""
        return self.outcome.result(self.source.types)

    def check(self, where: str, types: Mapping[str, Type]) -> None:
        """Refuse rows of these columns that it cannot be asked for."""
        check_known(where, "column", [*self.on, *([self.until] if self.until else [])], types)
        for column in self.on:
            check_same_type(where, column, types[column], self.source.name, self.source.types[column])
        if self.until is not None and not isinstance(types[self.until], Timestamp):
            raise DeclarationError(f"{where}: {self.until!r} says until when a response counts: make it a Timestamp.")
