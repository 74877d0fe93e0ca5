"""How good the rows of a feature group are to learn from: what is missing, what is unusual, and what that makes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature import Feature
from platform_ml.spec.naming import check_known, check_unique
from platform_ml.spec.schema import NUMBERS, Boolean, Double
from platform_ml.spec.sql import identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from platform_ml.spec.schema import Type
    from platform_ml.spec.window import Term

MISSING_SHARE, OUTLIER_SHARE = "feature_missing_share", "feature_outlier_share"
SCORE, READY = "feature_quality_score", "is_training_ready"
MEANINGS = {
    MISSING_SHARE: "Share of the scored features that the row has no value of.",
    OUTLIER_SHARE: "Share of the scored features whose value lies outside of the limits of its partition.",
    SCORE: "1 less the share of missing values, less the weighted share of outliers.",
    READY: "Whether the quality score is high enough to learn from the row.",
}


class Outliers(Protocol):
    """A rule that draws robust limits around the usual values of one feature in one partition."""

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        ...

    def summary(self, value: str) -> str:
        """A SQL aggregate over the finite values of a partition: a list of doubles, the same in any order of rows."""
        ...

    def limits(self, summary: Sequence[float]) -> tuple[float, float] | None:
        """The least and the greatest usual value; None where the values have no spread to judge by."""
        ...


@dataclass(frozen=True, kw_only=True)
class Quality:
    """A score for each row of a feature group, and for each partition as a whole.

    With n scored features, m of them missing in a row and o of them outliers, w = `outlier_weight`:

        feature_missing_share = m / n
        feature_outlier_share = o / n
        feature_quality_score = 1 - (m + w * o) / n          between 0 and 1, 1 is best
        is_training_ready     = feature_quality_score >= ready_at

    * Missing is a null or NaN. A value of 0 or an empty text is a value.
    * An outlier is a finite number outside of the limits that `outliers` draws from all finite values of the feature in
      the same partition, whatever batches it was computed in; a value on a limit is usual. An infinite number is
      always an outlier. Flags, texts and times have no outliers.
    * There are no limits where fewer than `min_values` values are finite, or where they have no spread (a constant).
    * Of a partition, the score is the mean of its rows: 1 - (sum of m + w * sum of o) / (n * rows). It is ready when
      that is at least `ready_at`. Without rows nothing is defined.

    All sums are of whole numbers and all limits are order statistics, so a partition has the same scores to the
    last bit at any number of threads, alone or in a backfill. The four columns belong to the table of the group and to
    its fingerprint; no view takes them unless it selects them by name.
    """

    outliers: Outliers | None = None
    """None: only missing values count."""
    ready_at: float = 0.8
    """The least score of a row to learn from."""
    outlier_weight: float = 0.5
    """What an outlier costs; a missing value costs 1."""
    of: tuple[str, ...] = ()
    """The features that are scored; empty: all. Leave out those that are null by their nature."""
    min_values: int = 20
    """Finite values that limits are drawn from at least."""

    def __post_init__(self) -> None:
        for name, value in (("ready_at", self.ready_at), ("outlier_weight", self.outlier_weight)):
            if not 0 <= value <= 1:
                raise DeclarationError(f"Quality: {name} is {value}, not between 0 and 1. Choose a share.")
        if self.min_values < 1:
            raise DeclarationError(f"Quality: min_values is {self.min_values}: limits need at least 1 value.")
        check_unique("Quality", "feature", self.of)

    @property
    def columns(self) -> dict[str, Type]:
        """The columns that it adds to the table of a group."""
        return {MISSING_SHARE: Double(), OUTLIER_SHARE: Double(), SCORE: Double(), READY: Boolean()}

    @property
    def features(self) -> tuple[Scored, ...]:
        """The same columns as a view selects them."""
        return tuple(Scored(called=name) for name in self.columns)

    def scored(self, features: Mapping[str, Type]) -> dict[str, bool]:
        """The features that count, in the group's order, and whether each can have outliers."""
        chosen = {name: kind for name, kind in features.items() if not self.of or name in self.of}
        return {name: self.outliers is not None and isinstance(kind, NUMBERS) for name, kind in chosen.items()}

    def check(self, where: str, features: Mapping[str, Type]) -> None:
        """Refuse features that the group does not have."""
        check_known(where, "feature", self.of, features)


@dataclass(frozen=True, kw_only=True)
class Scored(Feature):
    """A column that `Quality` computes of the other features of a row."""

    called: str

    @property
    def name(self) -> str:
        """Fixed for all groups."""
        return self.called

    @property
    def meaning(self) -> str:
        """One sentence for catalog and card."""
        return MEANINGS[self.called]

    def result(self, types: Mapping[str, Type]) -> Type:
        """A share, or a flag."""
        return Quality().columns[self.called]

    def sql(self, term: Callable[[Term], str]) -> str:
        """The column: it is there when rows are stored."""
        return identifier(self.called)


@dataclass(frozen=True, kw_only=True)
class FeatureQuality:
    """One scored feature in one partition."""

    missing: float
    """Share of the rows."""
    outlying: float
    low: float | None = None
    """The least usual value; None where no limits could be drawn, or where they are infinite."""
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class PartitionQuality:
    """The scores of one partition as a whole; None where it has no rows."""

    score: float | None
    ready: bool | None
    """Whether the score of the partition is at least that of a row to learn from."""
    ready_share: float | None
    """Share of rows to learn from."""
    missing_share: float | None
    """Share of all scored values."""
    outlier_share: float | None
    features: Mapping[str, FeatureQuality] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> PartitionQuality:
        """What `to_json` has made, also after a round trip through text."""
        features = {name: FeatureQuality(**one) for name, one in said["features"].items()}
        return cls(**{**said, "features": features})
