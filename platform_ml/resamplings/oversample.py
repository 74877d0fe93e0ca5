"""Rows of rare classes, more than once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.resamplings.classes import TASKS, check_share, in_order, of_classes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.spec.task import Task


@dataclass(frozen=True, kw_only=True)
class Oversample:
    """Every row stays, and rows of a rare class are drawn again, with replacement, until there are enough of it."""

    name: ClassVar[str] = "oversample"
    tasks: ClassVar[tuple[Task, ...]] = TASKS

    to_share: float = 1.0
    """So many rows every class has at least, as a share of those of the most frequent one; 1: as many."""

    def __post_init__(self) -> None:
        check_share("Oversample", self.to_share)

    @property
    def rule(self) -> str:
        """As a sentence."""
        return (
            f"Training rows of a rare class are drawn again until it has {self.to_share:.0%} of the most frequent one."
        )

    def rows(self, label: NDArray[np.float64], *, seed: int) -> NDArray[np.int64]:
        """All places, and some of them again."""
        import numpy as np

        draw, classes = np.random.default_rng(seed), of_classes(label)
        least = round(self.to_share * max(map(len, classes), default=0))
        more = [draw.choice(one, size=max(0, least - len(one))) for one in classes]
        return in_order([*classes, *more])
