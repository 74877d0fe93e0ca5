"""How rows are divided: what a splitter may look at, and what it has to say of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class RowSQL:
    """All that a splitter may look at: DuckDB expressions over one row, so that no other row can move it."""

    entity: str
    key: Sequence[str]
    """What tells the row from all others, in order; numbers, text or dates, whose text does not depend on a zone."""
    event_time: str
    label: str
    cutoff: str
    """Midnight (UTC) at the beginning of the cutoff's day, as a TIMESTAMPTZ."""


class Splitter(Protocol):
    """One column computed from one row; rows after the cutoff's day, and rows without a time, are in no split."""

    @property
    def gap_days(self) -> int | None:
        """The declared days between the splits; None: as many as the declarations demand."""
        ...

    @property
    def by_time(self) -> bool:
        """Whether every row of a later split is later than every row of an earlier one, with the gap between."""
        ...

    @property
    def separates_entities(self) -> bool:
        """Whether all rows of an entity are in one split."""
        ...

    def span_days(self, gap_days: int) -> int:
        """How many days before the cutoff the newest training row lies at most."""
        ...

    def over(self, days: int) -> Splitter:
        """The same rule with a test period of so many days, as cutoffs of a dataset's own demand; not by time: itself.

        Raises:
            DeclarationError: it has a test period of its own.
        """
        ...

    def sql(self, row: RowSQL, *, gap_days: int) -> str:
        """A DuckDB expression that is 'train', 'validation', 'test' or NULL."""
        ...

    def says(self, gap_days: int) -> str:
        """The rule as a sentence."""
        ...

    def folds(self, number: int) -> Folds:
        """Folds for cross-validation by the splitter's own rule; none of them touches a test row."""
        ...


class Folds(Protocol):
    """For each fold one column computed from one row."""

    @property
    def number(self) -> int:
        """How many folds there are, 2 or more."""
        ...

    @property
    def by_time(self) -> bool:
        """Whether a fold learns only from rows that are older than those it is judged on."""
        ...

    @property
    def separates_entities(self) -> bool:
        """Whether a fold is judged only on entities that it does not learn from."""
        ...

    def sql(self, row: RowSQL, *, fold: int, gap_days: int) -> str:
        """A DuckDB expression that is 'train', 'validation' or NULL in this fold, 0 <= fold < number."""
        ...

    def says(self, gap_days: int) -> str:
        """The rule as a sentence."""
        ...
