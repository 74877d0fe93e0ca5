"""A metric is good enough on every slice, where less is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from platform_ml.gates.slice_limit import SliceLimit


@dataclass(frozen=True)
class SliceAtMost(SliceLimit):
    """The metric on every slice of the test rows stays at or below the limit, as far as its rows can tell."""

    goal: ClassVar[Literal["maximize", "minimize"]] = "minimize"
    words: ClassVar[str] = "at most"
