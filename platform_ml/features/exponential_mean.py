"""How much a day, the latest days first."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature import RollingNumber
from platform_ml.spec.sql import identifier
from platform_ml.spec.window import Term

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PLACES = 9
"""Weights are rounded to a billionth: sums of them are whole numbers, so they are exact and the same on every run."""
MOST = 20
"""Time constants of a window: what lies before them weighs less than such a rounding."""


@dataclass(frozen=True, kw_only=True)
class ExponentialMean(RollingNumber):
    """The mean of the daily sums of a column, in which a day weighs 1/e as much for every `decay_days` it lies back.

    With x(k) the sum of k days ago, 0 without an event: sum(exp(-k / decay_days) * x(k)) / sum(exp(-k / decay_days)),
    over k from 0 to days - 1. It is the recursive mean m += (1 - exp(-1 / decay_days)) * (x - m) but for its end: that
    one reads all history, this one leaves out the share exp(-days / decay_days) of the weight, which `left_out` says.
    A look-back of 4.6 time constants leaves out 1 %; a gap that has to be as long as the look-back costs as much.
    """

    decay_days: int
    """The time constant: the half-life is ln 2 times as long."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.decay_days < 1:
            raise DeclarationError(f"ExponentialMean: a decay of {self.decay_days} days weighs nothing. Use 1 or more.")
        if self.days > MOST * self.decay_days:
            raise DeclarationError(
                f"ExponentialMean: {self.days} days are more than {MOST} times the decay of {self.decay_days}: what "
                "lies that far back weighs nothing. Look back less."
            )

    @property
    def left_out(self) -> float:
        """The share of the weight that lies before the window."""
        return exp(-self.days / self.decay_days)

    @property
    def name(self) -> str:
        """load_decayed_42d_194d."""
        return f"{self.of}_decayed_{self.decay_days}d_{self.days}d"

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return (
            f"Mean of the daily sum of {self.of}, weighing 1/e for every {self.decay_days} days back, over the last "
            f"{self.days} days, which have {1 - self.left_out:.1%} of the weight."
        )

    def measured_in(self, units: Mapping[str, str]) -> str | None:
        """The column's unit per day."""
        return f"{units[self.of]}/day" if self.of in units else None

    def terms(self) -> tuple[Term, ...]:
        """Days come in blocks as long as the window, and are weighed from the start of their block.

        A window touches two blocks, an even and an odd one, each of which is a plain sum.
        """
        digits = len(str(int(exp(self.days / self.decay_days)))) + PLACES
        weight = f"CAST(exp((_day % {self.days}) / {self.decay_days}::DOUBLE) AS DECIMAL({digits}, {PLACES}))"
        value = f"{identifier(self.of)} * {weight}"
        blocks = [f"CASE WHEN _day // {self.days} % 2 = {parity} THEN {value} END" for parity in (0, 1)]
        return tuple(Term("each", self.days, block) for block in blocks)

    def sql(self, term: Callable[[Term], str]) -> str:
        """Each block's sum, weighed from the start of the block to the day of the row."""
        block = f"(_day // {self.days})"
        sums = [
            f"CAST({term(one)} AS DOUBLE) * "
            f"exp(({self.days} * ({block} - ({block} + {parity}) % 2) - _day) / {self.decay_days}::DOUBLE)"
            for parity, one in enumerate(self.terms())
        ]
        weights = (1 - self.left_out) / (1 - exp(-1 / self.decay_days))
        return f"({' + '.join(sums)}) / {weights!r}::DOUBLE"
