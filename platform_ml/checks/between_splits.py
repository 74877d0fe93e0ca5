"""Splits of a training dataset are spread alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.checks.distances import pooled
from platform_ml.spec.check import DataCheck, Judgement
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.training_dataset import SPLIT, TRAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.checks.drift import Drift
    from platform_ml.spec.check import Seen
    from platform_ml.spec.schema import Type


@dataclass(frozen=True)
class BetweenSplits(DataCheck):
    """A check on drift in a training dataset, with the training rows as its reference in place of earlier cutoffs.

    Each of the other splits has to pass it.
    """

    drift: Drift
    blocking: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if self.drift.blocking:
            raise DeclarationError(
                f"BetweenSplits of {self.drift.name}: say blocking=True of BetweenSplits, not inside."
            )

    @property
    def name(self) -> str:
        """psi_amount_between_splits."""
        return f"{self.drift.name[:48]}_between_splits"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return (
            f"{self.drift.column} is spread in every split as in the training rows: {self.drift.title} at most "
            f"{self.drift.limit:g}, or what chance explains."
        )

    def check(self, where: str, columns: Mapping[str, Type]) -> None:
        """Refuse a table without splits."""
        if SPLIT not in columns:
            raise DeclarationError(f"{where}: {self.name} is for training datasets, which alone have splits.")
        self.drift.check(where, columns)

    def judge(self, seen: Seen) -> Judgement:
        """The verdicts on all splits but the training rows together."""
        column, train = self.drift.column, seen.splits[TRAIN]
        said = {
            split: self.drift.compared(pooled(column, [train]), pooled(column, [one]), "the training rows")
            for split, one in seen.splits.items()
            if split != TRAIN
        }
        return Judgement(
            passed=all(one.passed for one in said.values()),
            reason=" ".join(f"{split}: {one.reason}" for split, one in said.items()),
            numbers={f"{split}/{name}": value for split, one in said.items() for name, value in one.numbers.items()},
        )
