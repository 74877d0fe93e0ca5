"""What is known of the groups that a model without a label puts rows into."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

STABLE = 0.75
"""From which mean Jaccard similarity on a cluster is real: Hennig (2007), Cluster-wise assessment, section 5."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One of them."""

    number: int
    """From 1, which has the most training rows."""
    train_rows: int
    test_rows: int
    share: float | None
    """Of the test rows; None without any."""
    stability: float | None
    """Mean Jaccard similarity to the most similar cluster of resamples; None where no resample could be fitted."""
    means: Mapping[str, float | None] = field(default_factory=lambda: MappingProxyType({}))
    """Feature that is a number or a Boolean → its mean over the training rows."""


@dataclass(frozen=True, kw_only=True)
class ClusterScore:
    """All of them, and how well they are apart."""

    clusters: tuple[Cluster, ...]
    silhouette: float | None
    """Rousseeuw (1987), of test rows: from -1 to 1."""
    davies_bouldin: float | None
    """Davies and Bouldin (1979), of test rows: how wide clusters are against how far they are apart; 0 is best."""
    agreement: float | None
    """Mean adjusted Rand index (Hubert and Arabie 1985) with the clusters of resamples: 1 is the same, 0 is chance."""
    resamples: int
    """Of the entities of training rows, on which the model was fitted again."""
    means: Mapping[str, float | None] = field(default_factory=lambda: MappingProxyType({}))
    """Feature → its mean over all training rows."""

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `EvaluationResult.to_json` gave."""
        return cls(**{**plain, "clusters": tuple(Cluster(**one) for one in plain["clusters"])})
