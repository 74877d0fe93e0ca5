"""What is predicted: an outcome after a moment, known only when its horizon is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from platform_ml.spec.check import check_checks
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import ADDED, JUDGED, PROSE
from platform_ml.spec.naming import check_known, check_name, check_unique
from platform_ml.spec.schema import Timestamp
from platform_ml.spec.task import CLUSTERING, check_ranked, task_of
from platform_ml.spec.window import check_even

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.check import DataCheck
    from platform_ml.spec.feature_group import Derived
    from platform_ml.spec.schema import Type
    from platform_ml.spec.source import Source
    from platform_ml.spec.task import Task
    from platform_ml.spec.window import Cadence

KNOWN_TIME = "known_time"
"""When the outcome became known: the moment plus the horizon."""


class Outcome(Protocol):
    """What of an entity's events in the horizon is the label."""

    @property
    def horizon_days(self) -> int:
        """The days after the moment that are looked at."""
        ...

    @property
    def meaning(self) -> str:
        """One sentence for the card."""
        ...

    def columns(self) -> tuple[str, ...]:
        """The source columns that it reads."""
        ...

    def result(self, types: Mapping[str, Type]) -> Type:
        """The type of the label, or `DeclarationError` when a column of the source does not fit."""
        ...

    def sql(self) -> str:
        """An aggregate over the entity's events in [moment, moment + horizon); there may be none."""
        ...


@dataclass(frozen=True, kw_only=True)
class Label:
    """The outcome of every entity that was seen before the moment, at each moment of the cadence."""

    name: str
    description: str = field(metadata=PROSE)
    source: Source
    entity: str
    outcome: Outcome
    cadence: Cadence
    """The moments: a partition key is the midnight (UTC) that is predicted from."""
    seen_within_days: int | None = None
    """Only entities with an event in so many days before the moment; None: ever before."""
    checks: tuple[DataCheck, ...] = field(default=(), metadata=JUDGED)
    """What each partition is held against beside its columns."""
    ranked_within: str | None = field(default=None, metadata=ADDED)
    """The column whose value the rows of one group share: the label says how relevant a row is in it; None: no ranking.

    Its entity, or `event_time`: then entities are ranked at each moment.
    """
    self_supervised: bool = field(default=False, metadata=PROSE)
    """Whether it is made of the records that the features are made of, as next week's load is: the card says so."""
    derived: tuple[Derived, ...] = field(default=(), metadata=ADDED)
    """Columns of each event that the outcome may be made of."""

    def __post_init__(self) -> None:
        check_name("Label", self.name)
        where = f"Label {self.name!r}"
        check_unique(where, "column", [self.entity, EVENT_TIME, self.name, KNOWN_TIME])
        check_unique(where, "column", [*self.source.types, *(column.name for column in self.derived)])
        check_known(where, "column", [self.entity], self.source.types)
        check_known(where, "column", self.outcome.columns(), self.all_types)
        if self.source.cadence is None:
            raise DeclarationError(f"{where}: source {self.source.name!r} has no event time, so nothing comes after.")
        if self.source.cadence.days != 1:
            raise DeclarationError(f"{where}: source {self.source.name!r} must be daily to cut horizons by day.")
        check_even(where, self.cadence)
        if self.outcome.horizon_days < 1:
            raise DeclarationError(f"{where}: a horizon has at least 1 day, not {self.outcome.horizon_days}.")
        if self.seen_within_days is not None and self.seen_within_days < 1:
            raise DeclarationError(f"{where}: seen_within_days is {self.seen_within_days}; use 1 or more, or None.")
        check_checks(where, self.checks, self.columns)
        check_ranked(self, (*self.key, EVENT_TIME))
        if self.task is CLUSTERING and (self.ranked_within or self.self_supervised):
            raise DeclarationError(f"{where} has no outcome, so it ranks and supervises nothing. Drop what says so.")

    @property
    def all_types(self) -> dict[str, Type]:
        """Every column of an event → type."""
        return self.source.types | {column.name: column.type for column in self.derived}

    @property
    def task(self) -> Task:
        """What learning it is."""
        if getattr(self.outcome, "unlabelled", False):
            return CLUSTERING
        return task_of(f"Label {self.name!r}", self.type, self.ranked_within)

    @property
    def learning(self) -> str:
        """What learning from it is called: supervised, self-supervised or unsupervised."""
        if self.task is CLUSTERING:
            return "unsupervised"
        return "self-supervised" if self.self_supervised else "supervised"

    @property
    def horizon_days(self) -> int:
        """How far ahead the label looks."""
        return self.outcome.horizon_days

    @property
    def outcome_source(self) -> Source:
        """Where outcomes are found."""
        return self.source

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell rows apart, beside the moment."""
        return (self.entity,)

    @property
    def columns(self) -> dict[str, Type]:
        """The columns of its table, in order."""
        entity = {self.entity: self.source.types[self.entity]}
        return entity | {EVENT_TIME: Timestamp(), self.name: self.type, KNOWN_TIME: Timestamp()}

    @property
    def attributes(self) -> tuple[str, ...]:
        """Its own columns that a model sees: none."""
        return ()

    @property
    def carried(self) -> tuple[str, ...]:
        """Its own columns that no model sees: none."""
        return ()

    @property
    def type(self) -> Type:
        """The type of the outcome."""
        return self.outcome.result(self.all_types)

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return self.outcome.meaning

    @property
    def population(self) -> str:
        """Who is predicted, as a sentence."""
        seen = f"in the {self.seen_within_days} days " if self.seen_within_days else ""
        return f"Every {self.entity} seen in {self.source.name} {seen}before the moment of prediction."

    @property
    def moments(self) -> str:
        """When is predicted, as a sentence."""
        days = self.cadence.days
        return f"Midnight UTC, every {'day' if days == 1 else f'{days} days'} from {self.cadence.first}."

    @property
    def lead(self) -> timedelta:
        """How long before its partition's first day a moment of prediction may lie."""
        return timedelta(0)
