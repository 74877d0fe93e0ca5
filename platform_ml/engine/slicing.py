"""Which test rows belong to a slice or to a period."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from platform_ml.spec.slicing import Bands, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.slicing import Part, Period, Slicing

    Rows = NDArray[np.int64]

MISSING = "(missing)"
"""The slice of the rows that have no value."""


def slices_of(rows: SplitRows, slicings: Sequence[Slicing]) -> dict[tuple[str, str], Rows]:
    """(column, value as it is shown) → its rows; values of a pair are those that rows have."""
    found: dict[tuple[str, str], Rows] = {}
    for slicing in slicings:
        if isinstance(slicing, tuple):
            first, second = (_parts(rows, part) for part in slicing)
            parts = [
                (f"{one} and {other}", both)
                for one, of_one in first
                for other, of_other in second
                if len(both := _both(of_one, of_other))
            ]
        else:
            parts = _parts(rows, slicing)
        found |= {(name_of(slicing), value): of for value, of in parts}
    return found


def periods_of(rows: SplitRows, period: Period) -> dict[str, tuple[date, Rows]]:
    """Period → the day on which it begins and its rows, the earliest first."""
    import numpy as np
    import pyarrow.compute as pc

    starts, place = np.unique(pc.floor_temporal(rows.event_time, unit=period).to_numpy(), return_inverse=True)
    days: list[date] = starts.astype("datetime64[D]").tolist()
    return {_named(day, period): (day, np.flatnonzero(place == at)) for at, day in enumerate(days)}


def _named(start: date, period: Period) -> str:
    """2024-05-06 of a day or a week, 2024-05, 2024-Q2."""
    if period == "quarter":
        return f"{start.year}-Q{(start.month + 2) // 3}"
    return start.isoformat()[:7] if period == "month" else start.isoformat()


def _parts(rows: SplitRows, part: Part) -> list[tuple[str, Rows]]:
    if isinstance(part, Bands):
        table = rows.helpers if part.column in rows.helpers.column_names else rows.features
        return _bands(table.column(part.column), part)
    return _values(rows.helpers.column(part))


def _values(column: pa.ChunkedArray) -> list[tuple[str, Rows]]:
    """Each value as it is shown, with the rows that have it; the missing ones come last."""
    import numpy as np

    found: dict[str, list[int]] = {}
    for row, value in enumerate(column.to_pylist()):
        found.setdefault(shown(value), []).append(row)
    ordered = sorted(found.items(), key=lambda item: (item[0] == MISSING, item[0]))
    return [(name, np.asarray(rows, dtype=np.int64)) for name, rows in ordered]


def shown(value: object) -> str:
    """A value as reports have it."""
    return str(value).lower() if isinstance(value, bool) else MISSING if value is None else str(value)


def _bands(column: pa.ChunkedArray, bands: Bands) -> list[tuple[str, Rows]]:
    """The least numbers first, then those that are missing; bands without rows are left out."""
    import numpy as np

    values = numbers(column)
    there = values[np.isfinite(values)]
    edges = np.asarray(bands.edges, dtype=np.float64)
    if not bands.edges and len(there):
        cuts = np.quantile(there, np.linspace(0, 1, bands.count + 1)[1:-1]).tolist()
        edges = np.unique([float(f"{cut:g}") for cut in cuts])  # as they are shown
        edges = edges[edges < there.max()]
    place = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))
    names = [*_spans(edges.tolist()), MISSING]
    return [(names[at], of) for at in range(len(names)) if len(of := np.flatnonzero(place == at))]


def _spans(edges: list[float]) -> list[str]:
    if not edges:
        return ["any number"]
    between = [f"above {low:g} to {high:g}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]:g}", *between, f"above {edges[-1]:g}"]


def numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """(n,) a column of numbers, NaN where it is missing."""
    import numpy as np
    import pyarrow as pa

    found: NDArray[np.float64] = column.cast(pa.float64()).to_numpy().astype(np.float64)
    return found


def _both(one: Rows, other: Rows) -> Rows:
    import numpy as np

    return np.intersect1d(one, other, assume_unique=True)
