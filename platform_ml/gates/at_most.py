"""A metric is good enough, where less is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from platform_ml.gates.limit import Limit


@dataclass(frozen=True)
class AtMost(Limit):
    """The metric on the test rows stays at or below the limit."""

    goal: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    words: ClassVar[str] = "at most"
