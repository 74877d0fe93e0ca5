"""The plot of intervals: how many truths lie within them, part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.card_plots import ACCENT, BAD, INK, MOST_SLICES, Plot, draw, short
from platform_ml.engine.card_text import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from platform_ml.spec.evaluation import EvaluationResult
    from platform_ml.spec.evidence import Measured

NAME = "intervals"


def interval_plots(result: EvaluationResult) -> tuple[Plot, ...]:
    """The measured share of all test rows and of each part, beside what was promised; nothing without intervals."""
    score = result.intervals
    if score is None or score.covered.value is None:
        return ()
    parts = [(part.title, part.covered) for part in score.parts if part.covered.value is not None]
    least = sorted(parts, key=lambda item: (_value(item[1]), item[0]))[: MOST_SLICES - 1]
    shown, hidden, promised = [("all test rows", score.covered), *least], len(parts) - len(least), score.promised
    below = sum(_is_below(measured, promised) for _, measured in parts)

    def paint(axes: Axes) -> None:
        axes.axvline(100 * promised, color=INK, linewidth=1)
        for row, (_, one) in enumerate(shown):
            color = BAD if _is_below(one, promised) else ACCENT
            if one.low is not None and one.high is not None:
                axes.plot([100 * one.low, 100 * one.high], [row, row], color=color, linewidth=1.6)
            axes.plot(100 * _value(one), row, color=color, marker="D" if color == BAD else "o", markersize=5)
        axes.set_yticks(range(len(shown)), [short(title) for title, _ in shown])
        axes.set(xlabel="Per cent of truths within their interval")
        axes.invert_yaxis()
        axes.margins(y=0.5 / len(shown))
        axes.grid(visible=False, axis="y")

    named, value = f"{number(100 * promised, 1)} %", f"{number(100 * score.covered.value, 1)} %"
    return (
        Plot(
            name=NAME,
            title="Do the intervals hold what they promise?",
            caption=f"The line is the promised {named}. A diamond marks rows whose whole interval is below it."
            + (f" {number(hidden)} parts that are covered better are left out." if hidden else ""),
            alt=f"Share of truths within their prediction interval: {value} of all test rows, where {named} was "
            f"promised. Shown to be below it: {below} of {len(parts)} parts.",
            svg=draw(NAME, paint, height=0.9 + 0.26 * len(shown)),
        ),
    )


def _value(measured: Measured) -> float:
    return measured.value or 0.0


def _is_below(measured: Measured, promised: float) -> bool:
    return measured.high is not None and measured.high < promised
