"""The naive prediction: everybody is like the average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from platform_ml.families.constant import MeanLabel
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.task import BINARY, Task


@dataclass(frozen=True, kw_only=True)
class Majority(MeanLabel):
    """The share of positives in the training rows, for every row."""

    name: ClassVar[str] = "majority"
    complexity: ClassVar[Complexity] = Complexity.RULE
    tasks: ClassVar[tuple[Task, ...]] = (BINARY,)
    called: ClassVar[str] = "base rate"
    written: ClassVar[str] = "rate"
