"""How metrics move over the periods of the test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.bootstrap import DEFINED
from platform_ml.engine.evidence import interval, without_chance
from platform_ml.spec.evidence import Measured, Stability

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.engine.bootstrap import Measured as Resampled
    from platform_ml.spec.metric import Metric

    Numbers = NDArray[np.float64]


def stability(
    metrics: Sequence[Metric], periods: Sequence[tuple[date, int, Mapping[str, Resampled]]]
) -> dict[str, Stability]:
    """Metric → its trend and spread over (first day, rows, measured) of periods; of fewer than two nothing is known."""
    import numpy as np

    found = {}
    for metric in metrics:
        known = [(day, rows, of[metric.name]) for day, rows, of in periods if np.isfinite(of[metric.name].value)]
        counts = np.array([rows for _, rows, _ in known], dtype=np.float64)
        trend = spread = Measured()
        if len(known) > 1:
            days = np.array([day.toordinal() for day, _, _ in known], dtype=np.float64)
            better = 1.0 if metric.goal == "maximize" else -1.0
            values = better * np.array([[of.value for _, _, of in known]])
            drawn = better * np.column_stack([of.drawn for _, _, of in known])
            defined = drawn[np.isfinite(drawn).all(axis=1)]
            drawn = defined if len(defined) >= DEFINED * len(drawn) else drawn[:0]
            share = counts / counts.sum()
            line = _line(days, share)
            trend = interval(float(_along(values, line)[0]), _along(drawn, line))
            spread = without_chance(float(_variance(values, share)[0]), _variance(drawn, share))
        found[metric.name] = Stability(periods=len(known), rows=int(counts.sum()), trend=trend, spread=spread)
    return found


def _line(days: Numbers, share: Numbers) -> Numbers:
    """(k,) what each period adds to the change from the first to the last one along the line of least squares."""
    apart = days - share @ days
    along: Numbers = share * apart / (share @ apart**2) * (days[-1] - days[0])
    return along


def _along(values: Numbers, line: Numbers) -> Numbers:
    import numpy as np

    found: Numbers = np.einsum("bk,k->b", values, line)
    return found


def _variance(values: Numbers, share: Numbers) -> Numbers:
    """(b,) of periods, each weighted by its share of the rows."""
    import numpy as np

    apart = values - np.einsum("bk,k->b", values, share)[:, None]
    found: Numbers = np.einsum("bk,k->b", apart**2, share)
    return found
