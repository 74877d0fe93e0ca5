"""A metric is good enough, where more is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from platform_ml.gates.limit import Limit


@dataclass(frozen=True)
class AtLeast(Limit):
    """The metric on the test rows reaches the limit."""

    goal: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    words: ClassVar[str] = "at least"
