"""How good the models of many cutoffs were on what came next: one question, asked again and again."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import PROSE
from platform_ml.spec.naming import check_known, check_name, check_unique
from platform_ml.spec.registration import Registration

if TYPE_CHECKING:
    from datetime import date

    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.training_dataset import TrainingDataset

FEWEST = 3
"""Cutoffs: a straight line goes through any two."""


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """Walk forward: at each of many cutoffs a model learns from what lies before, and is judged on what comes next.

    It trains nothing: it reads the evaluations that are there, and says which are missing or stale, and why.
    """

    name: str
    description: str = field(metadata=PROSE)
    of: Registration | Evaluation
    """Whose models are looked at; of a registration also what its gates say at every cutoff."""
    cutoffs: int | tuple[date, date] = 12
    """The last so many cutoffs whose outcomes can be known, or all from a first to a last day."""
    slices: tuple[str, ...] = ()
    """What of the evaluation's slices is shown over time, as its `slices` call it."""
    may_worsen: float = 0.0
    """By how much the first metric may get worse over the cutoffs, in its unit; what chance explains comes on top."""
    blocking: bool = False
    """Whether what is made of it waits where the metric got worse by more; otherwise that is a warning."""
    remarks: str = field(default="", metadata=PROSE)
    """What its owner has to say about the numbers."""

    def __post_init__(self) -> None:
        check_name("Backtest", self.name)
        where = f"Backtest {self.name!r}"
        if isinstance(self.cutoffs, int):
            if self.cutoffs < FEWEST:
                raise DeclarationError(f"{where}: {self.cutoffs} cutoffs show nothing over time. Use {FEWEST} or more.")
        elif self.cutoffs[0] >= self.cutoffs[1]:
            raise DeclarationError(
                f"{where}: its first cutoff {self.cutoffs[0]} is not before its last one {self.cutoffs[1]}."
            )
        check_unique(where, "slices by", self.slices)
        check_known(where, "slices by", self.slices, self.evaluation.sliced_by)
        if not (math.isfinite(self.may_worsen) and self.may_worsen >= 0):
            raise DeclarationError(f"{where}: may_worsen {self.may_worsen} is no limit. Use 0 or more.")

    @property
    def registration(self) -> Registration | None:
        """Whose gates are judged; None: of an evaluation alone there are none."""
        return self.of if isinstance(self.of, Registration) else None

    @property
    def evaluation(self) -> Evaluation:
        """What is measured at each cutoff."""
        return self.of.card.evaluation if isinstance(self.of, Registration) else self.of

    @property
    def dataset(self) -> TrainingDataset:
        """What is cut at each cutoff."""
        return self.evaluation.model.dataset
