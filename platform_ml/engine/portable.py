"""Models beside their native format: an ONNX graph, published only when it predicts the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import NotPortable, PlatformError
from platform_ml.spec.family import Portable
from platform_ml.spec.libraries import library

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Predictor

FILE = "model.onnx"
TOLERANCE = 1e-5
"""Of the greatest prediction, and at least absolute: graphs compute in float32."""
MOST_ROWS = 10_000


@dataclass(frozen=True, kw_only=True)
class Export:
    """What came of writing a model as an ONNX graph."""

    file: str | None
    """None when there is none."""
    reason: str
    """Why there is none, or how it was compared."""
    rows: int = 0
    """On which both were compared."""
    max_difference: float | None = None
    """Between a prediction of the graph and of the model, on these rows."""

    def to_plain(self) -> dict[str, Any]:
        """As a record has it."""
        return asdict(self)


def export(predictor: Predictor, rows: pa.Table, folder: Path) -> Export:
    """Write `model.onnx` beside a model; there is none where both do not predict the same for these rows."""
    if not isinstance(predictor, Portable):
        return Export(file=None, reason="This family has no ONNX graph.")
    rows = rows.slice(0, MOST_ROWS)
    try:
        graph = predictor.onnx()
        found = run(graph, predictor.inputs(rows))
    except NotPortable as reason:
        return Export(file=None, reason=f"{reason}.")
    except PlatformError as missing:
        return Export(file=None, reason=str(missing))
    difference, allowed = _difference(found, predictor.predict(rows))
    compared = {"rows": rows.num_rows, "max_difference": difference}
    if not difference <= allowed:  # a NaN is no agreement
        return Export(
            file=None,
            reason=f"The graph predicts otherwise: up to {difference:.3g}, where {allowed:.3g} is allowed.",
            **compared,
        )
    (folder / FILE).write_bytes(graph)
    said = f"Predicts the same for {rows.num_rows:,} validation rows, to within {difference:.3g}."
    return Export(file=FILE, reason=said, **compared)


def run(graph: bytes, values: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n,) what a graph predicts of (n, features) encoded rows."""
    import numpy as np

    onnxruntime = library("onnxruntime", extra="onnx", user="Export to ONNX")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    (found,) = session.run(["prediction"], {"features": values})
    return np.asarray(found, dtype=np.float64)


def _difference(found: NDArray[np.float64], expected: NDArray[np.float64]) -> tuple[float, float]:
    import numpy as np

    if found.shape != expected.shape or not len(expected):
        return float("inf"), 0.0
    return float(np.abs(found - expected).max()), TOLERANCE * max(1.0, float(np.abs(expected).max()))
