"""What happened in an exact stretch of time before the moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature import Feature
from platform_ml.spec.fingerprint import ADDED
from platform_ml.spec.history import check_choice
from platform_ml.spec.naming import check_name
from platform_ml.spec.window import LONGEST, check_length, short, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.aggregation import Aggregation
    from platform_ml.spec.schema import Type

Edges = Literal["[)", "(]", "[]", "()"]
EVER = LONGEST.days
"""Days that a window without end is said to look back."""


@dataclass(frozen=True, kw_only=True)
class Windowed(Feature):
    """An aggregation of the events of a history between `window` before the moment and the moment, to the microsecond.

    It is computed for each label row, not once a day, and sees only what was known by then.
    """

    how: Aggregation
    window: timedelta | None
    """Its length; None: everything before."""
    edges: Edges = "[)"
    """Which ends belong to it: "[" and "]" do, "(" and ")" do not."""
    tail_hop: timedelta | None = None
    """Round the beginning down to a whole multiple of this since 1970, so that windows of near moments share it."""
    head_hop: timedelta | None = None
    """Round the end down likewise: the window then ends before the moment."""
    called: str | None = field(default=None, metadata=ADDED)
    """Another name than delay_mean_3h."""
    exact: ClassVar[bool] = True

    def __post_init__(self) -> None:
        where = f"Windowed {self.how.name!r}"
        if self.called is not None:
            check_name("Feature", self.called)
        check_choice(where, "edges", self.edges, Edges)
        if self.window is not None and self.window <= timedelta(0):
            raise DeclarationError(f"{where}: a window of {self.window} holds nothing. Use more than zero, or None.")
        if self.window is None and self.how.needs_length:
            raise DeclarationError(f"{where}: it needs the length of its window. Declare one.")
        for hop in (self.tail_hop, self.head_hop):
            if hop is not None and hop <= timedelta(0):
                raise DeclarationError(f"{where}: a hop of {hop} rounds to nothing. Use more than zero, or None.")
            check_length(where, "a hop", hop or timedelta(0))
        check_length(where, "a window", self.window or timedelta(0), "Use None for everything before.")

    @classmethod
    def over(cls, *windows: timedelta, how: Aggregation, edges: Edges = "[)") -> tuple[Self, ...]:
        """The same aggregation over several windows."""
        return tuple(cls(how=how, window=window, edges=edges) for window in windows)

    @classmethod
    def each(cls, *hows: Aggregation, window: timedelta | None, edges: Edges = "[)") -> tuple[Self, ...]:
        """Several aggregations over the same window."""
        return tuple(cls(how=how, window=window, edges=edges) for how in hows)

    @property
    def name(self) -> str:
        """What it is called, or delay_mean_3h."""
        return self.called or f"{self.how.name}_{short(self.window) if self.window else 'ever'}"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        span = f"of the last {spelled(self.window)} before the moment" if self.window else "before the moment"
        return f"{self.how.meaning} {span}."

    @property
    def lookback_days(self) -> int:
        """The days that it touches at most."""
        return EVER if self.reach is None else -(-self.reach // timedelta(days=1))

    @property
    def reach(self) -> timedelta | None:
        """How long before the moment its oldest event may lie; None: without end."""
        if self.window is None:
            return None
        return self.window + (self.tail_hop or timedelta(0)) + (self.head_hop or timedelta(0))

    @property
    def absent(self) -> int | None:
        """What the aggregation makes of nothing."""
        return self.how.of_nothing

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The aggregation's unit."""
        return self.how.measured_in(units)

    def columns(self) -> tuple[str, ...]:
        """The columns that the aggregation reads."""
        return self.how.columns()

    def result(self, types: Mapping[str, Type]) -> Type:
        """The aggregation's type."""
        return self.how.result(types)
