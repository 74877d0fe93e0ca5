"""Rows to learn from and to be judged on, cut so that nothing leaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from platform_ml.spec.check import BUILT_IN, OF_DATASETS, check_checks
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group import EVENT_TIME
from platform_ml.spec.fingerprint import ADDED, JUDGED, PROSE
from platform_ml.spec.leak_audit import LeakAudit
from platform_ml.spec.naming import check_known, check_name, check_unique
from platform_ml.spec.schema import Text

if TYPE_CHECKING:
    from platform_ml.spec.check import DataCheck
    from platform_ml.spec.feature_view import FeatureView
    from platform_ml.spec.splitter import RowSQL, Splitter
    from platform_ml.spec.window import Calendar

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)
SPLIT = "split"
"""The column that a splitter computes: train, validation, test, or null for rows in a gap."""


@dataclass(frozen=True, kw_only=True)
class TrainingDataset:
    """The rows of a view up to a cutoff, split; immutable once written. The test rows are those of the cutoff.

    Its cutoffs are the partitions of the label, and the test rows of one are those of its own day; or they are
    declared, coarser than the label's partitions: then a cutoff is the midnight (UTC) at which its day begins, and its
    test rows are those since the cutoff before.
    """

    name: str
    description: str = field(metadata=PROSE)
    view: FeatureView
    splitter: Splitter
    history_days: int
    """How many days before the cutoff the oldest row may lie."""
    windows_may_overlap: str | None = None
    """Why feature windows of test rows may reach into the training period; None: the gap must cover them."""
    random_split_because: str | None = field(default=None, metadata=ADDED)
    """Why training rows may be as late as test rows, with outcomes that overlap; None: the splitter goes by time."""
    audit: LeakAudit = field(default=LeakAudit(), metadata=ADDED)
    """The limits that its rows are held against."""
    checks: tuple[DataCheck, ...] = field(default=(), metadata=JUDGED)
    """What its rows are held against beside what every dataset is; the partitions before are those of earlier cutoffs.

    The rows have one column more than the view: `split`.
    """
    cutoffs: Calendar | None = field(default=None, metadata=ADDED)
    """When a dataset is cut, and so how often there is a model; None: at every partition of the label."""

    def __post_init__(self) -> None:
        check_name("Training dataset", self.name)
        where = f"Training dataset {self.name!r}"
        check_unique(where, "column", [SPLIT, *self.view.columns])
        check_known(where, "column", self.audit.known_ahead, [*self.view.feature_names, *self.view.helper_names])
        self._check_cutoffs(where)
        self._check_gap(where)
        self._check_groups(where)
        if self.checks:
            check_checks(where, self.checks, {SPLIT: Text()} | self.view.types, taken=BUILT_IN + OF_DATASETS)
        span = self._splitter_of(self.cadence.longest).span_days(self.gap_days)
        if self.history_days <= 2 * self.gap_days or self.history_days < span:
            raise DeclarationError(
                f"{where}: history_days={self.history_days} leaves nothing to train on between gaps of "
                f"{self.gap_days} days. Use more."
            )

    def _check_cutoffs(self, where: str) -> None:
        """Refuse cutoffs that some partition of the label does not come before, or that none would be tested at."""
        if self.cutoffs is None:
            return
        cutoffs, known = self.cutoffs, self.view.label.cadence
        if cutoffs.shortest <= known.days:
            raise DeclarationError(
                f"{where}: its cutoffs are no coarser than the partitions of label {self.view.label.name!r}, each of "
                "which is a cutoff anyway. Drop cutoffs, or use longer ones."
            )
        if not self.is_trainable(cutoffs.first):
            span = self.splitter_at(cutoffs.first).span_days(self.gap_days)
            needed = known.first + timedelta(days=span + 1)

            raise DeclarationError(
                f"{where}: there is nothing to train on at its first cutoff {cutoffs.first}: test, validation and "
                f"gaps take {span} days, and label {self.view.label.name!r} begins on {known.first}. Begin "
                f"on {needed} or later."
            )
        if known.last is not None and (cutoffs.last is None or known.last < cutoffs.before(cutoffs.last)):
            raise DeclarationError(
                f"{where}: its cutoffs go on to {cutoffs.last or 'any day'}, but label {self.view.label.name!r} ends "
                f"with {known.last}, so later cutoffs have no test rows. Declare an earlier last cutoff."
            )

    def _check_gap(self, where: str) -> None:
        gap, horizon, lookback = self.splitter.gap_days, self.view.label.horizon_days, self.view.lookback_days
        if not self.splitter.by_time:
            if horizon > 0 and not self.random_split_because:
                raise DeclarationError(
                    f"{where} leaks: labels look {horizon} days ahead, but {type(self.splitter).__name__} puts rows of "
                    "the same days on both sides, so outcomes of the test rows are in the training rows. Use a "
                    "splitter by time, or say in random_split_because why that is how the model is used."
                )
            return
        if self.random_split_because:
            raise DeclarationError(
                f"{where} says random_split_because, but {type(self.splitter).__name__} splits by time. Drop it."
            )
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

    def _check_groups(self, where: str) -> None:
        """Refuse a splitter that is made to cut the groups of a ranking in two; the rows are looked at as well."""
        label, splitter = self.view.label, self.splitter
        within = label.ranked_within
        if within is None or splitter.by_time or (splitter.separates_entities and within != EVENT_TIME):
            return
        cure = "a splitter by time" if within == EVENT_TIME else "a splitter by time, or ByEntity,"
        raise DeclarationError(
            f"{where}: label {label.name!r} is ranked within {within!r}, but {type(splitter).__name__} draws single "
            f"rows, so groups would be cut in two. Use {cure} that keeps them together."
        )

    @property
    def gap_days(self) -> int:
        """The days without rows between two splits, derived and enforced; 0 for splits that are not by time."""
        if not self.splitter.by_time:
            return 0
        if self.splitter.gap_days is not None:
            return self.splitter.gap_days
        horizon, lookback = self.view.label.horizon_days, self.view.lookback_days
        return horizon if self.windows_may_overlap else max(horizon, lookback)

    @property
    def cadence(self) -> Calendar:
        """The cutoffs: the partitions of everything that is made of it."""
        return self.cutoffs or self.view.label.cadence

    def rule(self, cutoff: date | None = None) -> str:
        """How rows are split, in sentences; without a cutoff, where as many days as ever lie between two of them."""
        splitter = self._splitter_of(self.cadence.longest) if cutoff is None else self.splitter_at(cutoff)
        most = "" if cutoff else "at most "
        since = f" Test rows are {most}those since the cutoff before; the last day is the one before the cutoff."
        return splitter.says(self.gap_days) + (since if self.cutoffs else "")

    def _splitter_of(self, days: int) -> Splitter:
        return self.splitter if self.cutoffs is None else self.splitter.over(days)

    def splitter_at(self, cutoff: date) -> Splitter:
        """The splitter with the test period of a cutoff."""
        return self._splitter_of((cutoff - self.cadence.before(cutoff)).days)

    def last_day(self, cutoff: date) -> date:
        """The last day whose rows the dataset of this cutoff has."""
        return cutoff if self.cutoffs is None else cutoff - timedelta(days=1)

    def is_trainable(self, cutoff: date) -> bool:
        """Whether the label begins early enough for training rows before the test rows, validation rows and gaps."""
        span = self.splitter_at(cutoff).span_days(self.gap_days)
        return self.view.label.cadence.first <= self.last_day(cutoff) - timedelta(days=span)

    def view_keys(self, cutoff: date) -> list[str]:
        """The view partitions that the dataset of this cutoff is made of."""
        last = self.last_day(cutoff)
        return self.view.label.cadence.keys(last - timedelta(days=self.history_days), last + timedelta(days=1))

    def split_sql(self, row: RowSQL, cutoff: date) -> str:
        """The splitter's column; the row's `cutoff` is the `last_day` of this one."""
        return self.splitter_at(cutoff).sql(row, gap_days=self.gap_days)

    def fold_sql(self, row: RowSQL, cutoff: date, number: int) -> tuple[str, ...]:
        """For each of `number` folds by the splitter's own rule, a column: 'train', 'validation' or NULL.

        Folds are over the rows of the view, as walk-forward folds also lie where the split has its gap. No row that
        the split tests on is in a fold.
        """
        folds = self.splitter_at(cutoff).folds(number)
        return tuple(
            f"CASE WHEN ({self.split_sql(row, cutoff)}) IS DISTINCT FROM '{TEST}' "
            f"THEN {folds.sql(row, fold=n, gap_days=self.gap_days)} END"
            for n in range(folds.number)
        )
