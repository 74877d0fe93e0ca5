"""What a way to rank features promises: learned from training rows and descriptions, with a reason for each feature."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.family import Rows


@dataclass(frozen=True, kw_only=True)
class About:
    """What is declared of one feature."""

    meaning: str
    """One sentence."""
    made_of: str
    """The feature group, or the label whose event brings it along."""
    unit: str | None = None
    looks_back: str = ""
    """How far, such as "30 d" or "ever"; empty: not at all."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What features are ranked for."""

    predicts: str
    """What the label is, for whom and when, in words."""
    features: Mapping[str, About]
    """Feature → what is declared of it; those that are to be ranked, in the order of the rows."""
    keep: int | None
    """How many will be kept; None: as many as are good."""


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """How good one feature is."""

    feature: str
    score: float
    """The greater the better; what it counts is the method's own."""
    reason: str
    """As a sentence."""
    drop: bool = False
    """Whether the method itself would leave it out."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Every feature once, the best one first."""

    features: tuple[Ranked, ...]
    method: str
    """The method that ranked them in the end."""
    notes: tuple[str, ...] = ()
    """What a reader has to know of how it came about."""
    asked: tuple[Mapping[str, Any], ...] = field(default=())
    """What was asked of a language model and what it answered, word for word, with their hashes."""


class SelectionMethod(Protocol):
    """A way to rank features by training rows, by what is declared of them, or by both."""

    name: ClassVar[str]

    @property
    def decides(self) -> bool:
        """Whether it says by itself which features to leave out."""
        ...

    @property
    def rule(self) -> str:
        """What it does, as a sentence."""
        ...

    def rank(self, train: Rows, asked: Asked, *, seed: int) -> Ranking:
        """Rank the columns of the training rows; the same arguments give the same ranking.

        A null says something too, texts are categories. Every column has at least two different values.

        Raises:
            RowsError: Naming the feature that is infinite, or of a type that no model takes.
        """
        ...
