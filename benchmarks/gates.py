"""How often gates on slices stop a fair model, and how often an unfair one: simulated.

    .venv/bin/python benchmarks/gates.py [--worlds 2000] [--resamples 400]

Test rows fall into 12 slices of 3 to 1,000 rows. In a fair world the losses of all of them are drawn alike; in an
unfair one those of the slice of 100 rows are greater on average. Every number goes the way that it goes in an
evaluation: resamples of `engine.bootstrap`, variances and covariances, then the gate itself. The resamples are shared
by all worlds, which are independent of each other.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from platform_ml.engine.bootstrap import entity_weights
from platform_ml.gates import SliceGap
from platform_ml.spec.evaluation import CONFIDENCE, Estimate
from platform_ml.spec.evidence import ALL, Compared, Evidence
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from platform_ml.spec.gate import Gate

    Numbers = NDArray[np.float64]
    Draw = Callable[[np.random.Generator, int, int, float], Numbers]

SIZES = (3, 5, 10, 20, 30, 50, 80, 100, 200, 300, 500, 1000)
BAD = SIZES.index(100)
RATIOS = (1.0, 1.25)
SEED = 6


def absolute(draw: np.random.Generator, worlds: int, rows: int, times: float) -> Numbers:
    """Absolute errors of normal residuals."""
    return times * np.abs(draw.normal(size=(worlds, rows)))


def squared(draw: np.random.Generator, worlds: int, rows: int, times: float) -> Numbers:
    """Squared errors of normal residuals."""
    return times * draw.normal(size=(worlds, rows)) ** 2


def brier(draw: np.random.Generator, worlds: int, rows: int, times: float) -> Numbers:
    """Brier scores of calibrated probabilities; where they are worse, labels are turned as often as it takes."""
    share = draw.beta(1, 4, size=(worlds, rows))
    plain, other = (share * (1 - share)).mean(), (share**3 + (1 - share) ** 3).mean()
    turned = (times - 1) * plain / (other - plain)
    true = draw.random((worlds, rows)) < share
    return (share - (true ^ (draw.random((worlds, rows)) < turned))) ** 2


def wrong(rate: float) -> Draw:
    """Wrong or not, so often."""
    return lambda draw, worlds, rows, times: (draw.random((worlds, rows)) < rate * times).astype(float)


LOSSES: dict[str, Draw] = {
    "absolute error": absolute,
    "squared error": squared,
    "Brier score": brier,
    "error rate, 20 %": wrong(0.2),
    "error rate, 10 %": wrong(0.1),
}


def worlds_of(draw_losses: Draw, times: float, worlds: int, weights: Numbers) -> list[tuple[Compared, ...]]:
    """What an evaluation would have found of each world's slices."""
    draw = np.random.default_rng(SEED)
    ends = np.cumsum(SIZES)
    losses = [draw_losses(draw, worlds, rows, times if at == BAD else 1.0) for at, rows in enumerate(SIZES)]
    own, drawn, sums, counts = [], [], [], []
    for at, rows in enumerate(SIZES):
        part = weights[:, ends[at] - rows : ends[at]]
        sums.append(losses[at] @ part.T)
        counts.append(part.sum(axis=1))
        with np.errstate(invalid="ignore"):  # a slice that is in no row of a resample has no metric there
            drawn.append(sums[at] / counts[at])
        own.append(losses[at].mean(axis=1))
    whole_drawn = sum(sums) / sum(counts)
    whole = np.concatenate(losses, axis=1).mean(axis=1)
    found = []
    for at, rows in enumerate(SIZES):
        seen = np.isfinite(drawn[at][0])
        a, b = drawn[at][:, seen], whole_drawn[:, seen]
        a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
        spreads = [(x * y).sum(axis=1) / (seen.sum() - 1) for x, y in ((a, a), (b, b), (a, b))]
        enough = seen.mean() >= CONFIDENCE
        found.append(
            [(rows, own[at][n], whole[n], *(s[n] if enough else None for s in spreads)) for n in range(worlds)]
        )
    return [tuple(_compared(at, *of[n]) for at, of in enumerate(found)) for n in range(worlds)]


def _compared(at: int, rows: int, value: float, whole: float, *spreads: float | None) -> Compared:
    variance, reference_variance, covariance = spreads
    return Compared(
        measure="loss", column="slice", value_of=str(at), against=ALL, rows=rows, entities=rows,
        reference_rows=sum(SIZES), reference_entities=sum(SIZES), value=value, reference=whole,
        variance=variance, reference_variance=reference_variance, covariance=covariance,
    )  # fmt: skip


def point(compared: Sequence[Compared], ratio: float, least: int) -> bool:
    """A gate without statistics: some slice of so many rows is beyond the limit."""
    return any(one.value > ratio * one.reference for one in compared if one.rows >= least)


def alone(compared: Sequence[Compared], ratio: float, least: int) -> bool:
    """Intervals without a correction for how many slices there are: a lower end is beyond the limit."""
    return any(
        one.value - ratio * one.reference > 1.96 * (one.spread(1, -ratio) or np.inf)
        for one in compared
        if one.rows >= least
    )


def stopped(gate: Gate, compared: tuple[Compared, ...], *, slice_: str | None = None) -> bool:
    """Whether the gate fails, because of this slice if one is named."""
    result = replace(
        numbers(roc_auc=Estimate(value=0.8)), goals={"loss": "minimize"}, evidence=Evidence(compared=compared)
    )
    verdict = gate.judge(result)
    if slice_ is None:
        return verdict.outcome is Outcome.FAILED
    return any(part.outcome is Outcome.FAILED for part in verdict.parts if part.gate == f"slice = {slice_}")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=2_000)
    parser.add_argument("--resamples", type=int, default=400)
    chosen = parser.parse_args()
    begin = perf_counter()
    weights = np.concatenate([*entity_weights(np.arange(sum(SIZES)), resamples=chosen.resamples, seed="gates")])
    print(f"{chosen.worlds:,} worlds, {chosen.resamples} resamples, slices of {', '.join(map(str, SIZES))} rows\n")
    print("Fair models that are stopped (the promise: at most 5 % by slice_gap)\n")
    print("| loss | limit | point value | of 30 rows and more | 95 % interval | slice_gap |")
    print("|---|--:|--:|--:|--:|--:|")
    for name, losses in LOSSES.items():
        fair = worlds_of(losses, 1.0, chosen.worlds, weights)
        for ratio in RATIOS:
            gate = SliceGap(metric="loss", ratio=ratio)
            shares = [
                np.mean([point(one, ratio, 1) for one in fair]),
                np.mean([point(one, ratio, 30) for one in fair]),
                np.mean([alone(one, ratio, 30) for one in fair]),
                np.mean([stopped(gate, one) for one in fair]),
            ]
            print(f"| {name} | {ratio:g} | " + " | ".join(f"{share:.1%}" for share in shares) + " |", flush=True)
    print("\nA greater loss in the slice of 100 rows that is found (the promise: at least 90 % where it is doubled)\n")
    print("| loss | limit | 1.6 times | 2 times |")
    print("|---|--:|--:|--:|")
    for name, losses in LOSSES.items():
        unfair = [worlds_of(losses, times, chosen.worlds, weights) for times in (1.6, 2.0)]
        for ratio in RATIOS:
            gate = SliceGap(metric="loss", ratio=ratio)
            shares = [np.mean([stopped(gate, one, slice_=str(BAD)) for one in worlds]) for worlds in unfair]
            print(f"| {name} | {ratio:g} | " + " | ".join(f"{share:.1%}" for share in shares) + " |", flush=True)
    print(f"\n{perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
