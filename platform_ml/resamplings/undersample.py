"""Fewer rows of frequent classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.resamplings.classes import TASKS, check_share, in_order, of_classes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.spec.task import Task


@dataclass(frozen=True, kw_only=True)
class Undersample:
    """Every row of the rarest class stays, and so many of the others are drawn, each at most once."""

    name: ClassVar[str] = "undersample"
    tasks: ClassVar[tuple[Task, ...]] = TASKS

    to_share: float = 1.0
    """The rarest class is at least this share of every other one afterwards; 1: all have as many rows."""

    def __post_init__(self) -> None:
        check_share("Undersample", self.to_share)

    @property
    def rule(self) -> str:
        """As a sentence."""
        return f"Training rows of frequent classes are left out until the rarest has {self.to_share:.0%} of each."

    def rows(self, label: NDArray[np.float64], *, seed: int) -> NDArray[np.int64]:
        """Some of the places, none twice."""
        import numpy as np

        draw, classes = np.random.default_rng(seed), of_classes(label)
        most = round(min(map(len, classes), default=0) / self.to_share)
        return in_order([draw.choice(one, size=min(most, len(one)), replace=False) for one in classes])
