"""What the values of a partition look like in numbers: stored beside its commit, compared by checks and by people."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from platform_ml.spec.quality import PartitionQuality

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Kind = Literal["number", "time", "category"]
LEVELS = 100
"""Percentiles that are kept of a number, beside its least value."""


@dataclass(frozen=True, kw_only=True)
class ColumnStatistics:
    """One column of one partition. Quantiles and top values are exact up to `PartitionStatistics.sampled` rows."""

    kind: Kind
    nulls: int
    distinct: int
    """Approximate, by HyperLogLog: within about 5 %."""
    not_finite: int = 0
    """NaN and infinite values: the other figures leave them out."""
    minimum: float | str | None = None
    maximum: float | str | None = None
    """Of times in ISO 8601; None without values."""
    mean: float | None = None
    std: float | None = None
    """Of a sample: divided by n - 1."""
    quantiles: tuple[float, ...] = ()
    """The value at 0 %, 1 %, ... 100 % of the sampled rows; each is a value that occurs."""
    top: Mapping[str, int] = field(default_factory=dict)
    """The most frequent values and how many of the sampled rows have them, most frequent first; of categories only."""
    complete: bool = True
    """Whether `top` has every value of the sampled rows."""

    def share_up_to(self, value: float) -> float:
        """The share of values that are at most this one, between two percentiles in proportion; NaN without values."""
        if not self.quantiles:
            return float("nan")
        at = bisect_right(self.quantiles, value)
        if at in {0, len(self.quantiles)}:
            return float(at > 0)
        low, high = self.quantiles[at - 1], self.quantiles[at]
        return (at - 1 + (value - low) / (high - low)) / (len(self.quantiles) - 1)

    def histogram(self, edges: Sequence[float]) -> list[float]:
        """The share of values in (-inf, first edge], between the edges, and above the last one; adds up to 1."""
        ends = [0.0, *map(self.share_up_to, edges), 1.0]
        return [max(0.0, high - low) for low, high in pairwise(ends)]


@dataclass(frozen=True, kw_only=True)
class PartitionStatistics:
    """All columns of one partition."""

    rows: int
    sampled: int
    """The rows that quantiles and top values were taken from: all of them in a partition that is not large."""
    columns: Mapping[str, ColumnStatistics]
    quality: PartitionQuality | None = None
    """The scores of a feature group that declares `Quality`."""

    def values(self, column: str) -> int:
        """About how many of the sampled rows have a (finite) value in this column."""
        one = self.columns[column]
        return round(self.sampled * (1 - (one.nulls + one.not_finite) / self.rows)) if self.rows else 0

    def null_share(self, column: str) -> float:
        """Nulls as a share of the rows; 0 of no rows."""
        return self.columns[column].nulls / self.rows if self.rows else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, without what is at its default."""
        usual = vars(ColumnStatistics(kind="number", nulls=0, distinct=0))
        columns = {
            name: {"kind": one.kind} | {key: value for key, value in vars(one).items() if value != usual[key]}
            for name, one in self.columns.items()
        }
        scores = {"quality": self.quality.to_json()} if self.quality else {}
        return {"rows": self.rows, "sampled": self.sampled, "columns": columns} | scores

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> PartitionStatistics:
        """What `to_json` has made, also after a round trip through text."""
        columns = {
            name: ColumnStatistics(
                **({"nulls": 0, "distinct": 0} | one | {"quantiles": tuple(one.get("quantiles", ()))})
            )
            for name, one in said["columns"].items()
        }
        quality = PartitionQuality.from_json(said["quality"]) if "quality" in said else None
        return cls(rows=said["rows"], sampled=said["sampled"], columns=columns, quality=quality)
