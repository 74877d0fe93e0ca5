"""Which feature moved a network's output: integrated gradients (Sundararajan, Taly and Yan 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.attribution import LABEL, LOG_ODDS, Attribution

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.families.outcome import Outcome

POINTS = 32
"""Of the Gauss-Legendre quadrature along the straight line from the mean training row to a row."""


def integrated_gradients(
    output: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    gradient: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    columns: NDArray[np.float64],
    fixed: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """How much each column moved the output away from that of the mean training row.

    Rows add up to that difference exactly (completeness): what the quadrature leaves of it is divided in proportion to
    the sizes.

    Args:
        output: (n,) of (n, width) columns.
        gradient: (n, width) of the output by the columns.
        columns: (n, width), the mean training row being 0.
        fixed: (width,) those that say how to read others and move nothing by themselves: lengths.

    Returns:
        (n, width) by how much; (n,) the output of the mean training row, of the same lengths; (n,) what was left.
    """
    import numpy as np

    places, shares = np.polynomial.legendre.leggauss(POINTS)
    total = np.zeros_like(columns)
    for place, share in zip((places + 1) / 2, shares / 2, strict=True):
        total += share * gradient(np.where(fixed, columns, place * columns))
    found = np.where(fixed, 0.0, total * columns)
    base = output(np.where(fixed, columns, 0.0))
    gap = output(columns) - base - found.sum(axis=1)
    sizes = np.abs(found).sum(axis=1, keepdims=True)
    portions = np.divide(np.abs(found), sizes, out=np.zeros_like(found), where=sizes > 0)
    return found + portions * gap[:, None], base, gap


def explained(
    parts: Sequence[Sequence[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]]],
    shares: NDArray[np.float64],
    outcome: Outcome,
) -> Attribution:
    """What `integrated_gradients` said, chunk by chunk, of each output; `shares` (width, features): whose columns."""
    import numpy as np

    width, outputs = len(shares), len(parts)
    values, base, gaps = [np.empty((0, shares.shape[1], outputs))], [np.empty((0, outputs))], [0.0]
    for chunk in zip(*parts, strict=True):
        values.append(np.stack([found.reshape(-1, width) @ shares for found, _, _ in chunk], axis=2))
        base.append(np.stack([start for _, start, _ in chunk], axis=1))
        gaps += [float(np.abs(gap).max(initial=0.0)) for _, _, gap in chunk]
    return Attribution(
        values=np.concatenate(values) * outcome.spread,
        base=np.concatenate(base) * outcome.spread + outcome.middle,
        unit=LOG_ODDS if outcome.loss in {"log", "softmax"} else LABEL,
        leftover=max(gaps) * outcome.spread,
    )
