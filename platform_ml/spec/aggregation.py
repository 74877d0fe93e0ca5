"""What is made of the events of an exact window, a number for each label row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import NUMBERS, Double

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.spec.schema import Type

Takes = Literal["numbers", "codes", "positions", "events"]


class Segments(Protocol):
    """The events in the windows of `n` rows, row after row and oldest first: `m` in all, nulls left out.

    Only what takes events sees those of which the column is null.
    """

    @property
    def values(self) -> NDArray[Any]:
        """(m,) whole numbers, `scale` times the column's, or floats; codes or positions for what takes those."""
        ...

    @property
    def scale(self) -> float:
        """What `values` have to be divided by in the end: 100 for a decimal with two digits."""
        ...

    @property
    def seconds(self) -> NDArray[np.float64]:
        """(m,) how long before its row's moment an event happened."""
        ...

    @property
    def counts(self) -> NDArray[np.int64]:
        """(n,) events of each row."""
        ...

    @property
    def window_seconds(self) -> float | None:
        """The length of the window; None: without end."""
        ...

    def add(self, values: NDArray[Any]) -> NDArray[Any]:
        """(n,) the sum of (m,) values for each row, zero where it has no event; in order, so the same on every run.

        Sums of whole numbers are exact; those that leave 64 bits are rounded, and then all are floats.
        """
        ...

    def least(self, values: NDArray[Any]) -> NDArray[Any]:
        """(n,) the smallest of (m,) values for each row, zero where it has no event."""
        ...

    def most(self, values: NDArray[Any]) -> NDArray[Any]:
        """(n,) the greatest of (m,) values for each row, zero where it has no event."""
        ...

    def spread(self, rows: NDArray[Any]) -> NDArray[Any]:
        """(m,) the value of its row for each event."""
        ...


class Aggregation:
    """A number made of the events of a window."""

    takes: ClassVar[Takes] = "numbers"
    """What `values` are; positions: the aggregation answers with the position of an event, whose value is taken;
    events: with a list of numbers, to which all events give one, also those of which the column is null (NaN)."""
    needs_length: ClassVar[bool] = False
    """Whether it means nothing over a window without end."""
    of_nothing: ClassVar[int | None] = None
    """The result where nothing is defined; None: null."""

    @property
    def name(self) -> str:
        """What a feature's name begins with: delay_mean."""
        raise NotImplementedError

    @property
    def meaning(self) -> str:
        """The beginning of a sentence for catalog and card: Mean delay."""
        raise NotImplementedError

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """Its unit, where that of the column it reads (column → unit) or its own meaning gives one."""
        return None

    def columns(self) -> tuple[str, ...]:
        """The columns that it reads: one at most."""
        return ()

    def result(self, types: Mapping[str, Type]) -> Type:
        """The type of the result, or `DeclarationError` when a column does not fit."""
        return Double()

    def defined(self, events: Segments) -> NDArray[np.bool_]:
        """(n,) which rows have a result: those with an event."""
        found: NDArray[np.bool_] = events.counts > 0
        return found

    def compute(self, events: Segments) -> NDArray[Any]:
        """(n,) the result of each row; what it is where it is not defined does not matter.

        Of what takes events (m,): the number that each of them gives to the list of its row, NaN for null.
        """
        raise NotImplementedError

    def listed(self, events: Segments) -> NDArray[np.bool_]:
        """(m,) which events are in the list of their row; of what takes events."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class AggregationOf(Aggregation):
    """An aggregation of the numbers of one column; nulls do not count."""

    of: str

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The column's unit."""
        return units.get(self.of)

    def columns(self) -> tuple[str, ...]:
        """The column."""
        return (self.of,)

    def result(self, types: Mapping[str, Type]) -> Type:
        """A double."""
        if not isinstance(types[self.of], NUMBERS):
            raise DeclarationError(
                f"{type(self).__name__} of {self.of!r}: the column is {types[self.of].sql}, not a number. "
                "Choose a number, or take its last or its distinct values."
            )
        return Double()
