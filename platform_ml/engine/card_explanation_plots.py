"""The plots of explanations: SHAP values and mean predictions over the values of a feature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from platform_ml.engine.card_plots import ACCENT, FAINT, INK, LONGEST, VARIABLES, Plot
from platform_ml.engine.card_text import MINUS, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.evaluation import EvaluationResult
    from platform_ml.spec.explanation import Dependence, Explanations, Known, Partial

WIDTH, HEIGHT = 432, 236
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 10, 44
SLOT = 46
"""Width of the place of missing values beside an axis of numbers."""
SUPPORT = 34
"""Height of the bars that say how many rows are behind a point."""
FEW = 0.01
"""Of a smaller share of rows a point is hollow: the model has hardly seen such rows."""
GRID, SOLID, DASHED = "; stroke-opacity: .4", "; stroke-width: 1.6", "; stroke-width: 1.6; stroke-dasharray: 3 3"
FULL = 100_000
"""Smaller numbers are written in full."""
MOST_NAMES = 6
"""So many texts have room below an axis."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Where the values of a feature are, from left to right."""

    numbers: tuple[float, float] | None
    """The least and the greatest; None: its values are texts."""
    texts: tuple[str, ...]
    missing: bool

    @classmethod
    def of(cls, values: Sequence[Known]) -> Axis:
        """Numbers on a line, texts side by side, missing values last."""
        numbers = [value for value in values if isinstance(value, int | float)]
        texts = sorted({value for value in values if isinstance(value, str)})
        return cls(
            numbers=(min(numbers), max(numbers)) if numbers else None, texts=tuple(texts), missing=None in values
        )

    @property
    def right(self) -> float:
        """Where the axis of known values ends."""
        return WIDTH - RIGHT - (SLOT if self.missing and (self.numbers or self.texts) else 0)

    def at(self, value: Known) -> float:
        """Where a value is."""
        if value is None:
            return WIDTH - RIGHT - SLOT / 2
        if isinstance(value, str):
            return LEFT + (self.right - LEFT) * (self.texts.index(value) + 0.5) / len(self.texts)
        low, high = self.numbers or (0.0, 0.0)
        share = (value - low) / (high - low) if high > low else 0.5
        return LEFT + 6 + (self.right - LEFT - 12) * share

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Where which value is written."""
        if self.numbers:
            found = [(self.at(value), _written(value)) for value in ticks(*self.numbers)]
        else:
            every = math.ceil(len(self.texts) / MOST_NAMES) or 1
            most = max(4, 60 // (min(len(self.texts), MOST_NAMES) or 1))
            found = [(self.at(text), _cut(text, most)) for text in self.texts[::every]]
        return [*found, (self.at(None), "missing")] if self.missing else found


def explanation_plots(result: EvaluationResult) -> tuple[tuple[Plot, ...], ...]:
    """Of each feature that moves predictions most: its SHAP values, and the mean prediction where it has one."""
    why = result.explanations
    if why is None:
        return ()
    curves = {one.feature: one for one in why.partial}
    return tuple(
        (_dependence(one, why), *([_partial(curves[one.feature], why)] if one.feature in curves else ()))
        for one in why.dependence
    )


def _dependence(one: Dependence, why: Explanations) -> Plot:
    axis = Axis.of([value for value, _ in one.points])
    moved = [by for _, by in one.points]
    low, high = min(0.0, *moved), max(0.0, *moved)
    frame = _Frame(axis=axis, low=low, high=high, bottom=HEIGHT - BOTTOM)
    dots = [
        f'<circle cx="{axis.at(value) + _aside(value, place):.1f}" cy="{frame.up(by):.1f}" r="2.4"/>'
        for place, (value, by) in enumerate(one.points)
    ]
    zero = _line(LEFT, frame.up(0), WIDTH - RIGHT, frame.up(0), INK)
    inner = f'{zero}<g style="fill: {_color(ACCENT)}" fill-opacity=".55">{"".join(dots)}</g>'
    most = max(one.points, key=lambda point: abs(point[1]))
    of = f" of {why.output}" if why.output else ""
    return Plot(
        name=f"dependence_{one.feature}",
        title=f"{one.feature}: what it moves",
        caption=f"How far its value moved the prediction{of} of a test row, in {why.unit}.",
        alt=f"SHAP values of {one.feature} for {len(one.points)} test rows, from {number(low, signed=True)} to "
        f"{number(high, signed=True)}. It moves most at {_said(most[0])}: {number(most[1], signed=True)}.",
        svg=_svg(frame, inner, one.feature, why.unit),
    )


def _partial(one: Partial, why: Explanations) -> Plot:
    axis = Axis.of([value for value, _, _ in one.points])
    means = [mean for _, mean, _ in one.points]
    room = (max(means) - min(means)) * 0.08 or abs(means[0]) * 0.1 or 1.0
    frame = _Frame(axis=axis, low=min(means) - room, high=max(means) + room, bottom=HEIGHT - BOTTOM - SUPPORT - 6)
    top = max(share for _, _, share in one.points) or 1.0
    width = max(3.0, min(16.0, 0.6 * (axis.right - LEFT) / len(one.points)))
    bars, dots, lines = [], [], []
    before: tuple[float, float, float] | None = None
    for value, mean, share in one.points:
        x, y, height = axis.at(value), frame.up(mean), SUPPORT * share / top
        bars.append(
            f'<rect x="{x - width / 2:.1f}" y="{HEIGHT - BOTTOM - height:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}"/>'
        )
        fill = "" if share >= FEW else ' fill-opacity="0"'
        dots.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4"{fill}/>')
        if before and isinstance(value, float):
            how = DASHED if min(share, before[2]) < FEW else SOLID
            lines.append(_line(before[0], before[1], x, y, ACCENT, how))
        before = (x, y, share)
    accent = f"fill: {_color(ACCENT)}; stroke: {_color(ACCENT)}"
    inner = (
        f'<g style="fill: {_color(FAINT)}">{"".join(bars)}</g>{"".join(lines)}<g style="{accent}">{"".join(dots)}</g>'
    )
    low, high = (pick(one.points, key=lambda point: point[1]) for pick in (min, max))
    of = f" of {why.output}" if why.output else ""
    few = sum(share < FEW for _, _, share in one.points)
    hollow = f" {number(few)} have less than 1 % of the rows behind them." if few else ""
    return Plot(
        name=f"partial_{one.feature}",
        title=f"{one.feature}: mean prediction",
        caption=f"The mean prediction{of} if all rows had this value; bars: how many test rows are near it.",
        alt=f"Partial dependence on {one.feature} at {len(one.points)} values: least, {number(low[1])}, at "
        f"{_said(low[0])}; most, {number(high[1])}, at {_said(high[0])}.{hollow}",
        svg=_svg(frame, inner, one.feature, "mean prediction"),
    )


@dataclass(frozen=True, kw_only=True)
class _Frame:
    axis: Axis
    low: float
    high: float
    bottom: float

    def up(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.bottom - 4 - (self.bottom - TOP - 8) * share


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values between two ends: 1, 2 or 5 times a power of ten apart.

    >>> ticks(0.0, 9.7), ticks(-0.31, 0.42), ticks(3.0, 3.0)
    ([0.0, 2.0, 4.0, 6.0, 8.0], [-0.2, 0.0, 0.2, 0.4], [3.0])
    """
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{place * step:.12g}") for place in range(first, last + 1)]


def _svg(frame: _Frame, inner: str, below: str, beside: str) -> str:
    """A picture that takes the page's colours, and keeps its own where there is no page."""
    marks = []
    for value in ticks(frame.low, frame.high, 4):
        y = frame.up(value)
        marks.append(_line(LEFT, y, WIDTH - RIGHT, y, FAINT, GRID) + _text(LEFT - 6, y + 4, _written(value), "end"))
    for x, text in frame.axis.ticks:
        marks.append(_text(x, HEIGHT - BOTTOM + 16, text, "middle"))
    middle = (TOP + frame.bottom) / 2
    marks.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, _cut(below, 48), "middle"))
    turned = f' transform="rotate(-90 12 {middle:.1f})"'
    marks.append(_text(12, middle, _cut(beside, LONGEST), "middle", turned))
    edge = _line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, FAINT)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'style="font-family: system-ui, sans-serif; font-size: 12px">'
        f'<g style="fill: {_color(INK)}">{"".join(marks)}</g>{edge}{inner}</svg>'
    )


def _color(tone: str) -> str:
    return f"var(--plot-{VARIABLES[tone]}, {tone})"


def _line(x1: float, y1: float, x2: float, y2: float, tone: str, how: str = "") -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} style="stroke: {_color(tone)}{how}"/>'


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _aside(value: Known, place: int) -> float:
    """Texts and missing values have one place: their dots stand side by side, always in the same way."""
    return 0.0 if isinstance(value, int | float) else (place * 7 % 21 - 10) * 0.9


def _written(value: float) -> str:
    return f"{value:,.10g}".replace("-", MINUS) if abs(value) < FULL else f"{value:.3g}".replace("-", MINUS)


def _said(value: Known) -> str:
    return "missing" if value is None else value if isinstance(value, str) else number(value)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
