"""How long one prediction takes."""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from platform_ml.spec.family import Predictor

CALLS = 200
WARM_UP = 20


def latency_ms(predictor: Predictor, features: pa.Table) -> dict[str, float]:
    """p50, p95 and p99 of predicting one row in this process, over the given rows in turn; differs on every run."""
    import numpy as np

    if not features.num_rows:
        return {}
    taken = []
    for call in range(WARM_UP + CALLS):
        row = features.slice(call % features.num_rows, 1)
        start = perf_counter_ns()
        predictor.predict(row)
        taken.append(perf_counter_ns() - start)
    p50, p95, p99 = (np.percentile(taken[WARM_UP:], (50, 95, 99)) / 1e6).tolist()
    return {"p50": p50, "p95": p95, "p99": p99}
