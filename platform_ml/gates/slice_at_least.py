"""A metric is good enough on every slice, where more is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from platform_ml.gates.slice_limit import SliceLimit


@dataclass(frozen=True)
class SliceAtLeast(SliceLimit):
    """The metric on every slice of the test rows reaches the limit, as far as its rows can tell."""

    goal: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    words: ClassVar[str] = "at least"
