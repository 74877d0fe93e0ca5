"""What is predicted of single events: each one is a row, seen from some time before it happens."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from platform_ml.spec.check import check_checks
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import ADDED, JUDGED, PROSE
from platform_ml.spec.label import KNOWN_TIME
from platform_ml.spec.naming import check_known, check_name, check_unique
from platform_ml.spec.response import Response
from platform_ml.spec.schema import Timestamp
from platform_ml.spec.task import check_ranked, task_of
from platform_ml.spec.window import check_length, spelled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from platform_ml.spec.check import DataCheck
    from platform_ml.spec.feature_group import Derived
    from platform_ml.spec.schema import Type
    from platform_ml.spec.source import Source
    from platform_ml.spec.task import Task
    from platform_ml.spec.window import Cadence


@dataclass(frozen=True, kw_only=True)
class Event:
    """How a row of a source becomes a label."""

    value: str
    """The column with the outcome; rows in which it is null are not labelled."""
    known: str
    """The column that says when the outcome became known."""
    horizon_days: int
    """How many days after the moment of prediction the outcome is known at the latest."""
    lead: timedelta = timedelta(0)
    """How long before the source's event time the prediction is made."""

    def __post_init__(self) -> None:
        check_length("Event", "a lead", self.lead)
        if self.lead < timedelta(0):
            raise DeclarationError(f"Event: a lead of {self.lead} predicts after the event. Use zero or more.")
        if self.horizon_days < 1:
            raise DeclarationError(f"Event: a horizon has at least 1 day, not {self.horizon_days}.")
        check_length("Event", "a horizon", timedelta(days=min(self.horizon_days, 10**6)))


@dataclass(frozen=True, kw_only=True)
class EventLabel:
    """The outcome of every event of a source, at the moment of prediction before it."""

    name: str
    description: str = field(metadata=PROSE)
    source: Source
    entity: str
    """The column of what rows depend on: rows of one entity are kept together where that matters."""
    event: Event | Response
    """Where the outcome of a row is found: in the row, or in what follows it."""
    attributes: tuple[str, ...] = ()
    """Columns of the event that are known at the moment of prediction: a model sees them."""
    carried: tuple[str, ...] = ()
    """Columns that no model sees: keys to join by, other moments, helpers."""
    derived: tuple[Derived, ...] = ()
    checks: tuple[DataCheck, ...] = field(default=(), metadata=JUDGED)
    """What each partition is held against beside its columns."""
    ranked_within: str | None = field(default=None, metadata=ADDED)
    """The column whose value the rows of one group share: the label says how relevant a row is in it; None: no ranking.

    A key, the entity, a carried column or an attribute; or `event_time`.
    """

    def __post_init__(self) -> None:
        check_name("Label", self.name)
        where = f"Label {self.name!r}"
        if self.source.cadence is None or self.source.event_time is None:
            raise DeclarationError(f"{where}: source {self.source.name!r} has no event time, so nothing comes after.")
        check_unique(where, "column", [*self.source.types, *(column.name for column in self.derived)])
        check_unique(where, "column", [*self.own, EVENT_TIME, self.name, KNOWN_TIME])
        check_unique(where, "attribute or carried column", [*self.attributes, *self.carried])
        told = [self.event.value, self.event.known] if isinstance(self.event, Event) else []
        check_known(where, "column", [self.entity, *told, *self.attributes, *self.carried], self.all_types)
        if isinstance(self.event, Response):
            self.event.check(where, self.all_types)
        elif not isinstance(self.all_types[self.event.known], Timestamp):
            raise DeclarationError(
                f"{where}: {self.event.known!r} says when the outcome is known: make it a Timestamp."
            )
        for column in self.attributes:
            if isinstance(self.all_types[column], Timestamp):
                raise DeclarationError(
                    f"{where}: attribute {column!r} is a moment, which may lie after that of prediction, so it can "
                    "leak. Derive an age or an hour from it, or carry it."
                )
        for column in (*self.attributes, *self.carried):
            if leaked := self.outcome_in(column, self.derived) or self._later(column):
                made = "is" if leaked == column else f"is made of {leaked!r}, which is"
                raise DeclarationError(
                    f"{where} leaks: {column!r} {made} known only after the moment of prediction. Drop it, or take it "
                    "of earlier events through a feature group with a history."
                )
        check_checks(where, self.checks, self.columns)
        check_ranked(self, (*self.own, EVENT_TIME))

    def outcome_in(self, column: str, derived: Iterable[Derived]) -> str | None:
        """What of the outcome a column of its source is made of, also through these `derived` columns."""
        if isinstance(self.event, Response):
            return None  # it is in another source
        told = {self.event.value, self.event.known}
        outcome = told | (self._read(self.event.value, self.derived) & (told | set(self.source.types)))
        known_before = {self.source.event_time, *self.source.key, self.entity}
        return next(iter(sorted(({column} | self._read(column, derived)) & (outcome - known_before))), None)

    def _later(self, column: str) -> str | None:
        """What a column is made of that its source says is known at another moment than the event itself."""
        later = {one.name for one in self.source.columns if one.known_at not in (None, self.source.event_time)}
        return next(iter(sorted(({column} | self._read(column, self.derived)) & later)), None)

    def _read(self, column: str, derived: Iterable[Derived]) -> set[str]:
        found: set[str] = set()
        sql = {one.name: one.sql for one in derived}
        waiting = [column]
        while waiting:
            text = sql.get(waiting.pop(), "")
            names = {*self.source.types, *sql}
            # DuckDB does not care for case.
            new = {name for name in names if re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)} - found
            found |= new
            waiting += new
        return found

    @property
    def own(self) -> list[str]:
        """The columns that it takes from the source, in order."""
        return [*dict.fromkeys([*self.source.key, self.entity, *self.carried, *self.attributes])]

    @property
    def all_types(self) -> dict[str, Type]:
        """Every column of an event → type."""
        return self.source.types | {column.name: column.type for column in self.derived}

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell rows apart, beside the moment."""
        return self.source.key

    @property
    def columns(self) -> dict[str, Type]:
        """The columns of its table, in order."""
        types = self.all_types
        own: dict[str, Type] = {name: types[name] for name in self.own}
        return own | {EVENT_TIME: Timestamp(), self.name: self.type, KNOWN_TIME: Timestamp()}

    @property
    def task(self) -> Task:
        """What learning it is."""
        return task_of(f"Label {self.name!r}", self.type, self.ranked_within)

    @property
    def type(self) -> Type:
        """The type of the outcome."""
        return self.event.type if isinstance(self.event, Response) else self.all_types[self.event.value]

    @property
    def outcome_source(self) -> Source:
        """Where outcomes are found."""
        return self.event.source if isinstance(self.event, Response) else self.source

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        if not isinstance(self.event, Response):
            return self.description
        end = f" and before {self.event.until}" if self.event.until else ""
        same = ", ".join(self.event.on)
        return f"{self.event.outcome.meaning[:-1]}{end}, in {self.event.source.name} with the same {same}."

    @property
    def population(self) -> str:
        """Who is predicted, as a sentence."""
        if isinstance(self.event, Response):
            return f"Every event of {self.source.name} that {self.event.source.name} covers until its outcome is known."
        return f"Every event of {self.source.name} whose {self.event.value} is known afterwards."

    @property
    def moments(self) -> str:
        """When is predicted, as a sentence."""
        before = f"{spelled(self.event.lead)} before " if self.event.lead else ""
        return f"{before}{self.source.event_time} of each event."

    @property
    def learning(self) -> str:
        """What learning from it is called."""
        return "supervised"

    @property
    def horizon_days(self) -> int:
        """How far ahead the label looks."""
        return self.event.horizon_days

    @property
    def lead(self) -> timedelta:
        """How long before its partition's first day a moment of prediction may lie."""
        return self.event.lead

    @property
    def cadence(self) -> Cadence:
        """The days of the events."""
        if self.source.cadence is None:
            raise TypeError(self)
        return self.source.cadence
