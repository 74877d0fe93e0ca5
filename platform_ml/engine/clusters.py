"""How well groups of rows are apart, what is typical of each, and whether resamples would find them again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from platform_ml.engine.fitting import Fitting
from platform_ml.spec.clusters import Cluster, ClusterScore
from platform_ml.spec.errors import RowsError
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.training_dataset import TEST, TRAIN, VALIDATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.evaluation import EvaluationResult
    from platform_ml.spec.family import Family, Predictor
    from platform_ml.spec.tuned_model import TunedModel

    Places = NDArray[np.int64]

RESAMPLES = 20
MOST_ROWS = 2_000
"""Rows that pairs are looked at of, and that resamples are drawn from, evenly spread."""


@dataclass(frozen=True, kw_only=True)
class Clustered:
    """A fitted model with what it takes to fit it again."""

    model: TunedModel
    family: Family
    params: Mapping[str, Any]
    predictor: Predictor

    def groups(self, rows: SplitRows) -> Places:
        """(n,) the place of the nearest centre."""
        return nearest(self.predictor, rows.features)


def nearest(predictor: Predictor, rows: pa.Table) -> Places:
    """(n,) the place of the nearest centre of each row."""
    import numpy as np

    return predictor.predict(rows).argmin(axis=1) if rows.num_rows else np.empty(0, np.int64)


def with_clusters(result: EvaluationResult, made: Clustered, splits: Mapping[str, SplitRows]) -> EvaluationResult:
    """The numbers of an evaluation with those of the clusters; the same inputs give the same numbers."""
    import numpy as np
    import pyarrow as pa

    train, test = splits[TRAIN], splits[TEST]
    of_train, of_test = made.groups(train), made.groups(test)
    count = made.predictor.predict(train.features.slice(0, 1)).shape[1]
    similar, agreement = _stability(made, train.thinned(MOST_ROWS), count, result.dataset_digest)
    silhouette, davies_bouldin = _apart(made.predictor, test.thinned(MOST_ROWS))
    clusters = tuple(
        Cluster(
            number=place + 1,
            train_rows=int((of_train == place).sum()),
            test_rows=int((of_test == place).sum()),
            share=float((of_test == place).mean()) if len(of_test) else None,
            stability=float(np.mean(similar[place])) if similar[place] else None,
            means=_means(train.features.filter(pa.array(of_train == place))),
        )
        for place in range(count)
    )
    score = ClusterScore(
        clusters=clusters,
        silhouette=silhouette,
        davies_bouldin=davies_bouldin,
        agreement=float(np.mean(agreement)) if agreement else None,
        resamples=len(agreement),
        means=_means(train.features),
    )
    return replace(result, clusters=score)


def _apart(predictor: Any, test: SplitRows) -> tuple[float | None, float | None]:
    """Silhouette and Davies-Bouldin index; not defined where all rows are of one cluster, or each of its own."""
    from sklearn.metrics import davies_bouldin_score, silhouette_score

    groups = nearest(predictor, test.features)
    if not 1 < len(set(groups.tolist())) < len(groups):
        return None, None
    columns = predictor.coordinates(test.features)
    return float(silhouette_score(columns, groups)), float(davies_bouldin_score(columns, groups))


def _stability(made: Clustered, rows: SplitRows, count: int, seed: str) -> tuple[list[list[float]], list[float]]:
    """For each cluster its Jaccard similarities, and the adjusted Rand indices, over resamples of the entities.

    Both are of the rows that were drawn: Hennig (2007), Cluster-wise assessment of cluster stability, section 3.
    """
    from sklearn.metrics import adjusted_rand_score

    similar: list[list[float]] = [[] for _ in range(count)]
    agreement = []
    own = made.groups(rows)
    for drawn, groups in _fitted_again(made, rows, seed):
        agreement.append(float(adjusted_rand_score(own[drawn], groups)))
        for place in range(count):
            member = own[drawn] == place
            if member.any():
                similar[place].append(max(_jaccard(member, groups == other) for other in set(groups.tolist())))
    return similar, agreement


def _fitted_again(made: Clustered, rows: SplitRows, seed: str) -> Iterator[tuple[Places, Places]]:
    """The rows that were drawn, each once, and the groups that a model of the resample puts them into."""
    import numpy as np

    draw = np.random.default_rng(int(digest([seed, "clusters"])[:16], 16))
    known, number = np.unique(rows.entity, return_inverse=True)
    for _ in range(RESAMPLES):
        times = np.bincount(draw.integers(len(known), size=len(known)), minlength=len(known))[number]
        resample = rows.taken(np.repeat(np.arange(len(number)), times))
        try:
            fitting = Fitting.of(made.model, {TRAIN: resample, VALIDATION: resample})
            predictor, _ = fitting.fit(made.family, made.params)
        except RowsError:  # a resample may lack what makes a feature, or a cluster, different
            continue
        drawn = np.flatnonzero(times)
        yield drawn, nearest(fitting.deployed(predictor), rows.features.take(drawn))


def _jaccard(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


def _means(rows: pa.Table) -> dict[str, float | None]:
    import pyarrow as pa
    import pyarrow.compute as pc

    found = {}
    for field in rows.schema:
        kind = field.type
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        if number or pa.types.is_boolean(kind):
            found[field.name] = pc.mean(rows[field.name].cast("double")).as_py()
    return found
