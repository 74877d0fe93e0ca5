"""How far two sets of values are apart, seen through their statistics, and how far chance alone takes them.

A threshold of chance is exceeded with a probability of about `ALPHA` when both sets are independent draws of one
distribution. Rows that depend on each other, like the lines of one basket, are fewer than they look: the declared limit
is what covers that.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.spec.statistics import ColumnStatistics, PartitionStatistics

ALPHA = 0.001
BINS = 10
LEAST = 0.5
"""Rows that an empty bin counts as, so that logarithms stay finite."""
ROUGH = 0.01
"""What percentiles cannot tell: a distribution function read from them is off by up to this."""
Weighted = list[tuple[float, "ColumnStatistics"]]
"""Columns of several partitions with their number of sampled values."""


def pooled(column: str, partitions: Sequence[PartitionStatistics]) -> Weighted:
    """The column in each partition that has values of it."""
    found = [(float(one.values(column)), one.columns[column]) for one in partitions if column in one.columns]
    return [(count, one) for count, one in found if count > 0 and (one.quantiles or one.top)]


def size(some: Weighted) -> float:
    """The number of values."""
    return sum(count for count, _ in some)


def share_up_to(some: Weighted, values: Sequence[float]) -> NDArray[np.float64]:
    """The distribution function of all of them together, at (k,) values."""
    import numpy as np

    x, found = np.asarray(values, float), np.zeros(len(values))
    for count, one in some:
        q = np.asarray(one.quantiles)
        at = np.searchsorted(q, x, side="right")
        low, high = q[np.clip(at - 1, 0, None)], q[np.clip(at, None, len(q) - 1)]
        part = np.divide(x - low, high - low, out=np.zeros(len(x)), where=high > low)
        inner = (at - 1 + np.clip(part, 0, 1)) / max(1, len(q) - 1)
        found += count * np.where(at == 0, 0.0, np.where(at == len(q), 1.0, inner))
    return found / size(some)


def points(*sides: Weighted) -> list[float]:
    """Every percentile of any of them, in order."""
    return sorted({value for side in sides for _, one in side for value in one.quantiles})


def shares(some: Weighted, edges: Sequence[float]) -> list[float]:
    """The share of values in each bin of a histogram."""
    ends = [0.0, *map(float, share_up_to(some, edges)), 1.0]
    return [max(0.0, high - low) for low, high in pairwise(ends)]


def bins(reference: Weighted) -> list[float]:
    """The deciles of a reference, each once, the greatest value left out: what is above the last edge is a bin, too."""
    import numpy as np

    known = points(reference)
    levels = np.arange(1, BINS) / BINS
    at = np.searchsorted(np.maximum.accumulate(share_up_to(reference, known)), levels - 1e-9)
    return sorted({known[n] for n in at if n < len(known)} - {known[-1]})


def stability(before: Sequence[float], after: Sequence[float], least: tuple[float, float]) -> float:
    """The population stability index: the sum of (b - a) ln(b / a) over shares of bins, each at least `least`.

    The symmetric divergence of Kullback and Leibler (1951, On Information and Sufficiency); below 0.1 little has
    changed, above 0.25 much (Siddiqi 2006, Credit Risk Scorecards).
    """
    pairs = [(max(a, least[0]), max(b, least[1])) for a, b in zip(before, after, strict=True)]
    return sum((b - a) * math.log(b / a) for a, b in pairs)


def stability_by_chance(n: float, m: float, bins: int) -> float:
    """(1/n + 1/m) times a quantile of chi-square with bins - 1 degrees of freedom.

    Yurdakul & Naranjo 2020, Statistical properties of the population stability index, Journal of Risk Model
    Validation 14(4).
    """
    return (1 / n + 1 / m) * chi_square_quantile(bins - 1)


def chi_square_quantile(degrees: int) -> float:
    """What chi-square exceeds with probability `ALPHA`."""
    from scipy.special import chdtri

    return float(chdtri(max(1, degrees), ALPHA))


def smirnov(before: Weighted, after: Weighted) -> float:
    """The greatest distance between two distribution functions (Smirnov 1939), read from percentiles."""
    import numpy as np

    known = points(before, after)
    return float(np.max(np.abs(share_up_to(before, known) - share_up_to(after, known))))


def smirnov_by_chance(n: float, m: float) -> float:
    """sqrt(-ln(alpha / 2) / 2 (n + m) / (n m)), the asymptotic quantile, and what percentiles cannot tell.

    Smirnov 1948, Annals of Mathematical Statistics 19:279.
    """
    return math.sqrt(-math.log(ALPHA / 2) / 2 * (n + m) / (n * m)) + ROUGH


def wasserstein(before: Weighted, after: Weighted) -> tuple[float, float]:
    """The area between two distribution functions in units of the column, and what chance makes of it.

    The area is the distance of order 1 (Vallender 1974, Theory of Probability and its Applications 18:784). Under no
    drift sqrt(n m / (n + m)) times it tends to the integral of |B(F)|, B a Brownian bridge (del Barrio, Gine & Matran
    1999, Annals of Probability 27:1009). The threshold is the integral of the quantiles of |B(F)|, as if deviations
    went together everywhere: more than chance, never less.
    """
    from statistics import NormalDist

    import numpy as np

    known = points(before, after)
    n, m = size(before), size(after)
    z, scale = NormalDist().inv_cdf(1 - ALPHA / 2), math.sqrt((n + m) / (n * m))
    a, b, width = share_up_to(before, known)[:-1], share_up_to(after, known)[:-1], np.diff(known)
    both = np.clip((n * a + m * b) / (n + m), 0, 1)
    chance = z * scale * np.sqrt(both * (1 - both)) + ROUGH / 2
    return float(np.sum(np.abs(a - b) * width)), float(np.sum(chance * width))


def spread(some: Weighted) -> float:
    """The standard deviation of all of them together; 0 for one value."""
    known = [(count, one.mean, one.std or 0.0) for count, one in some if one.mean is not None]
    total = sum(count for count, _, _ in known)
    middle = sum(count * mean for count, mean, _ in known) / total
    return math.sqrt(sum(count * (std**2 + (mean - middle) ** 2) for count, mean, std in known) / total)


def categories(before: Weighted, after: Weighted) -> list[tuple[float, float]]:
    """How many of each side have each value; values that one side may have without listing them are one rest.

    A value that a list is too short for counts there as often as the least that is listed, at most: too little drift
    is found rather than too much.
    """
    counts = [_counts(side) for side in (before, after)]
    names = sorted({name for listed, _ in counts for name in listed})
    found = [
        (listed_a.get(name, least_a), listed_b.get(name, least_b))
        for (listed_a, least_a), (listed_b, least_b) in [counts]
        for name in names
    ]
    rest = (max(0.0, size(before) - sum(a for a, _ in found)), max(0.0, size(after) - sum(b for _, b in found)))
    found.append(rest)
    return [pair for pair in found if sum(pair) >= LEAST]


def _counts(side: Weighted) -> tuple[Mapping[str, float], float]:
    listed: dict[str, float] = {}
    least = 0.0
    for _, one in side:
        if not one.complete:
            least += min(one.top.values(), default=0)
        for name, count in one.top.items():
            listed[name] = listed.get(name, 0.0) + count
    return listed, least


def jensen_shannon(pairs: Sequence[tuple[float, float]]) -> float:
    """The square root of the divergence to the base 2, from 0 to 1.

    Endres & Schindelin 2003, IEEE Transactions on Information Theory 49:1858.
    """
    n, m = (sum(side) for side in zip(*pairs, strict=True))
    found = 0.0
    for a, b in ((a / n, b / m) for a, b in pairs):
        middle = (a + b) / 2
        found += sum(p * math.log2(p / middle) / 2 for p in (a, b) if p > 0)
    return math.sqrt(max(0.0, found))


def jensen_shannon_by_chance(n: float, m: float, values: int) -> float:
    """The divergence is about (1/n + 1/m) / (8 ln 2) times chi-square with values - 1 degrees of freedom.

    The second order of its expansion (Grosse et al. 2002, Physical Review E 65:041905, for weighted samples).
    """
    return math.sqrt((1 / n + 1 / m) * chi_square_quantile(values - 1) / (8 * math.log(2)))


def cramer(pairs: Sequence[tuple[float, float]]) -> float:
    """Pearson's chi-square of two rows of counts as Cramer's V, from 0 to 1: sqrt(chi-square / N)."""
    n, m = (sum(side) for side in zip(*pairs, strict=True))
    found = sum((a * m - b * n) ** 2 / (a + b) for a, b in pairs) / (n * m)
    return math.sqrt(found / (n + m))


def cramer_by_chance(n: float, m: float, values: int) -> float:
    """sqrt(quantile / N), by Pearson (1900, Philosophical Magazine 50:157)."""
    return math.sqrt(chi_square_quantile(values - 1) / (n + m))
