"""Which feature moved a network's output: integrated gradients (Sundararajan, Taly and Yan 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

POINTS = 32
"""Of the Gauss-Legendre quadrature along the straight line from the mean training row to a row."""
EXPLAINED_ROWS = 2_000
"""Gradients are dear: of more rows, so many are explained."""


def integrated_gradients(
    output: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    gradient: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    columns: NDArray[np.float64],
    fixed: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(n, width) how much each column moved the output away from that of the mean training row.

    Rows add up to that difference exactly: what the quadrature leaves of it is divided in proportion to the sizes.

    Args:
        output: (n,) of (n, width) columns.
        gradient: (n, width) of the output by the columns.
        columns: (n, width), the mean training row being 0.
        fixed: (width,) those that say how to read others and move nothing by themselves: lengths.
    """
    import numpy as np

    places, shares = np.polynomial.legendre.leggauss(POINTS)
    total = np.zeros_like(columns)
    for place, share in zip((places + 1) / 2, shares / 2, strict=True):
        total += share * gradient(np.where(fixed, columns, place * columns))
    found = np.where(fixed, 0.0, total * columns)
    gap = output(columns) - output(np.where(fixed, columns, 0.0)) - found.sum(axis=1)
    sizes = np.abs(found).sum(axis=1, keepdims=True)
    portions = np.divide(np.abs(found), sizes, out=np.zeros_like(found), where=sizes > 0)
    corrected: NDArray[np.float64] = found + portions * gap[:, None]
    return corrected
