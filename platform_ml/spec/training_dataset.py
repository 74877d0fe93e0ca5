"""Rows to learn from and to be judged on, cut so that nothing leaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import PROSE
from platform_ml.spec.naming import check_name, check_unique
from platform_ml.spec.window import moment

if TYPE_CHECKING:
    from platform_ml.spec.feature_view import FeatureView

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)
SPLIT = "split"
"""The column that a splitter computes: train, validation, test, or null for rows in a gap."""


class Splitter(Protocol):
    """One column computed from keys and event time."""

    @property
    def gap_days(self) -> int | None:
        """The declared days between the splits; None: as many as the declarations demand."""
        ...

    def sql(self, *, entity: str, event_time: str, cutoff: str, gap_days: int) -> str:
        """A DuckDB expression that is 'train', 'validation', 'test' or NULL; the arguments are SQL."""
        ...

    def says(self, gap_days: int) -> str:
        """The rule as a sentence."""
        ...


@dataclass(frozen=True, kw_only=True)
class TrainingDataset:
    """The rows of a view up to a cutoff, split; immutable once written. The test rows are those of the cutoff."""

    name: str
    description: str = field(metadata=PROSE)
    view: FeatureView
    splitter: Splitter
    history_days: int
    """How many days before the cutoff the oldest row may lie."""
    windows_may_overlap: str | None = None
    """Why feature windows of test rows may reach into the training period; None: the gap must cover them."""

    def __post_init__(self) -> None:
        check_name("Training dataset", self.name)
        where = f"Training dataset {self.name!r}"
        check_unique(where, "column", [SPLIT, *self.view.columns])
        gap, horizon, lookback = self.splitter.gap_days, self.view.label.horizon_days, self.view.lookback_days
        if gap is not None and gap < horizon:
            raise DeclarationError(
                f"{where} leaks: labels look {horizon} days ahead, but its splits are only {gap} days apart, so "
                f"outcomes of one split happen inside the next. Use gap_days={horizon} or more."
            )
        if gap is not None and gap < lookback and not self.windows_may_overlap:
            raise DeclarationError(
                f"{where} leaks: features look back {lookback} days, but its splits are only {gap} days apart. "
                f"Use gap_days={lookback} or more, or say in windows_may_overlap why that is how the model is used."
            )
        if self.history_days <= 2 * self.gap_days:
            raise DeclarationError(
                f"{where}: history_days={self.history_days} leaves nothing to train on between gaps of "
                f"{self.gap_days} days. Use more."
            )

    @property
    def gap_days(self) -> int:
        """The days without rows between two splits, derived and enforced."""
        if self.splitter.gap_days is not None:
            return self.splitter.gap_days
        horizon, lookback = self.view.label.horizon_days, self.view.lookback_days
        return horizon if self.windows_may_overlap else max(horizon, lookback)

    def view_keys(self, cutoff: date) -> list[str]:
        """The view partitions that the dataset of this cutoff is made of."""
        return self.view.label.cadence.keys(cutoff - timedelta(days=self.history_days), cutoff + timedelta(days=1))

    def split_sql(self, cutoff: date, *, event_time: str, entity: str) -> str:
        """The splitter's column for one cutoff."""
        at = f"TIMESTAMPTZ '{moment(cutoff).isoformat()}'"
        return self.splitter.sql(entity=entity, event_time=event_time, cutoff=at, gap_days=self.gap_days)
