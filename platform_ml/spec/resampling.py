"""What a way to draw training rows again promises: rare classes get seen more often, nothing else is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.spec.task import Task


class Resampling(Protocol):
    """Chooses which training rows are learned from, by their class; validation and test rows stay what they are."""

    name: ClassVar[str]

    @property
    def tasks(self) -> Collection[Task]:
        """The labels that it is for: those with classes."""
        ...

    @property
    def rule(self) -> str:
        """What it does, as a sentence for the card."""
        ...

    def rows(self, label: NDArray[np.float64], *, seed: int) -> NDArray[np.int64]:
        """The places of the rows to learn from, increasing; one that is drawn twice is there twice."""
        ...
