"""The naive number: everybody is like the mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from platform_ml.families.constant import MeanLabel
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.task import REGRESSION, Task


@dataclass(frozen=True, kw_only=True)
class Average(MeanLabel):
    """The mean label of the training rows, for every row."""

    name: ClassVar[str] = "average"
    complexity: ClassVar[Complexity] = Complexity.RULE
    tasks: ClassVar[tuple[Task, ...]] = (REGRESSION,)
    called: ClassVar[str] = "mean"
    written: ClassVar[str] = "value"
