"""How hard it is to see why a model predicts what it predicts."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platform_ml.spec.family import Family


class Complexity(IntEnum):
    """Kinds of models, the simplest first: the family's own `complexity`."""

    RULE = 1
    """One number, or one feature."""
    WEIGHTS = 2
    """A sum, whose weights can be read."""
    TREES = 3
    """Many trees: no one reads them, but the share of each feature in a prediction is exact."""
    NETWORK = 4
    """Shares of features are estimates."""
    MIXTURE = 5
    """Several models together."""

    @property
    def title(self) -> str:
        """As a reader is told."""
        return TITLES[self]


TITLES = {
    Complexity.RULE: "a rule",
    Complexity.WEIGHTS: "readable weights",
    Complexity.TREES: "trees",
    Complexity.NETWORK: "a network",
    Complexity.MIXTURE: "several models together",
}


def complexity_of(family: Family) -> Complexity:
    """What a family says of itself; one that says nothing is taken as the least simple."""
    return Complexity(getattr(family, "complexity", Complexity.MIXTURE))
