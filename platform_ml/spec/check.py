"""What the rows of a table are held against, beside its columns: every partition is judged before it is committed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_name, check_unique

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa

    from platform_ml.spec.schema import Type
    from platform_ml.spec.source import Source
    from platform_ml.spec.statistics import PartitionStatistics

BUILT_IN = (
    *("schema", "not_null", "unique_key", "ranges", "volume", "fresh", "rejected", "one_row_each", "horizon"),
    "not_ahead",
)
"""What every table is held against already."""
OF_DATASETS = ("splits", "no_leak", "times", "entities", "copies", "gap", "too_good", "train_against_test")
"""And every training dataset."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One partition as a check sees it."""

    partition: str
    numbers: Mapping[str, Any]
    """What its aggregates or its query gave; None without rows."""
    statistics: PartitionStatistics
    earlier: Mapping[str, PartitionStatistics] = field(default_factory=dict)
    """The partitions before, oldest first, at most `DataCheck.looks_back` of them."""
    last: datetime | None = None
    """The last moment that a row of the partition may have."""
    splits: Mapping[str, PartitionStatistics] = field(default_factory=dict)
    """Of a training dataset: split → statistics of its rows, in the order of SPLITS."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a check says of one partition."""

    passed: bool
    reason: str
    """One sentence with the numbers behind it."""
    numbers: Mapping[str, float] = field(default_factory=dict)


class DataCheck:
    """A rule that every partition of a table is held against."""

    blocking: bool
    """Whether a partition that breaks it is kept out; otherwise it is a warning."""
    reads_rows: ClassVar[bool] = False
    """Whether `inspect` has to see the rows themselves."""

    @property
    def name(self) -> str:
        """lower_snake_case, unique within a table: also the name of the asset check."""
        raise NotImplementedError

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        raise NotImplementedError

    @property
    def looks_back(self) -> int:
        """With how many earlier partitions it compares."""
        return 0

    def reads(self) -> tuple[Source, ...]:
        """The sources that `query` reads, each by its name."""
        return ()

    def check(self, where: str, columns: Mapping[str, Type]) -> None:
        """Raise `DeclarationError` when the table does not have what the check needs."""

    def aggregates(self) -> Mapping[str, str]:
        """Name → SQL aggregate over the rows of a partition: all checks of a table share one pass."""
        return {}

    def query(self) -> str | None:
        """SQL over `rows` and what is read, for what no aggregate can say: `_partition` and numbers, by partition."""
        return None

    def inspect(self, rows: pa.Table, key: Sequence[str]) -> Mapping[str, Any]:
        """What no SQL can say of the rows of one partition; `key` are the columns that tell them apart."""
        return {}

    def judge(self, seen: Seen) -> Judgement:
        """The verdict on one partition."""
        raise NotImplementedError


def check_checks(
    where: str, checks: Iterable[DataCheck], columns: Mapping[str, Type], *, taken: Collection[str] = BUILT_IN
) -> None:
    """Refuse checks that the table cannot be held against; `taken` are the names of those that it has anyway."""
    names = [one.name for one in checks]
    check_unique(where, "check", names)
    for one in checks:
        check_name("Check", one.name)
        if one.name in taken:
            kind = "table" if one.name in BUILT_IN else "training dataset"
            raise DeclarationError(f"{where}: every {kind} has a check {one.name!r} already. Call this one otherwise.")
        one.check(where, columns)


def check_share(where: str, name: str, value: float) -> None:
    """Refuse what is no share."""
    if not 0 <= value <= 1:
        raise DeclarationError(f"{where}: {name} is a share from 0 to 1, not {value}.")
