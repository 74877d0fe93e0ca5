"""A backtest for people: the plot of a metric over cutoffs, the page, and the same as Markdown."""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, Any

from platform_ml.engine.card_plots import ACCENT, BAD, DASHES, FAINT, INK, SECOND, Plot, draw
from platform_ml.engine.card_text import number
from platform_ml.engine.model_card import environment
from platform_ml.engine.walk import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from platform_ml.engine.backtest import Walk

WIDTH, HEIGHT = 7.2, 3.6
"""Inches."""
NAMED = 12
"""So many cutoffs have room for their names below the plot."""
FAR = 2.0
"""A baseline that is farther from the model than so many times its range is not drawn."""


def html(found: Walk) -> str:
    """The page."""
    return environment().get_template("backtest.html.j2").render(_context(found), plot=plot(found))


def markdown(found: Walk, *, picture: str | None = None) -> str:
    """The plot and the tables; `picture` is where the plot lies, which is inside the text where there is none."""
    return environment().get_template("backtest.md.j2").render(_context(found), plot=plot(found), picture=picture)


def _context(found: Walk) -> dict[str, Any]:
    said = found.to_json()
    measured = [one for one in said["cutoffs"] if "metrics" in one]
    slices: dict[tuple[str, str], dict[str, Any]] = {}
    for one in measured:
        for part in one["slices"]:
            slices.setdefault((part["column"], part["value"]), {})[one["cutoff"]] = part
    return {
        "said": said,
        "title": found.backtest.name.replace("_", " ").capitalize(),
        "metric": said["metrics"][0],
        "baselines": _baselines(found),
        "measured": measured,
        "slices": [{"title": f"{column} = {value}", "at": at} for (column, value), at in sorted(slices.items())],
        "gates": found.backtest.registration is not None,
        "without": [one for one in said["cutoffs"] if one["why"]],
    }


def plot(found: Walk) -> Plot | None:
    """The first metric on the test rows of each cutoff with its intervals, baselines and the trend; None of nothing."""
    said = found.to_json()
    cutoffs, metric = said["cutoffs"], said["metrics"][0]
    model = [_estimate(one.get("metrics", {}), metric) for one in cutoffs]
    known = [one["value"] for one in model if one["value"] is not None]
    if not known:
        return None
    rivals = {name: _rival(cutoffs, name, metric) for name in _baselines(found)}
    near = {name: values for name, values in rivals.items() if _is_near(values, model)}
    missing = [one["cutoff"] for one in cutoffs if "metrics" not in one]

    def paint(axes: Axes) -> None:
        days = [_day(one["cutoff"]) for one in cutoffs]
        for place, (name, values) in enumerate(near.items()):
            axes.plot(days, values, color=INK, linewidth=1.3, dashes=DASHES[place % len(DASHES)], label=name)
        low, high = ([_number(one[end]) for one in model] for end in ("low", "high"))
        axes.fill_between(days, low, high, color=ACCENT, alpha=0.16, linewidth=0)
        axes.vlines(days, low, high, color=ACCENT, linewidth=1, alpha=0.7)
        axes.plot(days, [_number(one["value"]) for one in model], color=ACCENT, linewidth=2, label="model")
        _marks(axes, cutoffs, metric)
        _trend(axes, found)
        at = axes.get_xaxis_transform()  # days, and the share of the height
        for cutoff in missing:
            axes.axvline(_day(cutoff), color=FAINT, linewidth=1, dashes=(1, 2))
            axes.text(_day(cutoff), 0.02, "missing ", color=INK, rotation=90, fontsize=8, ha="right", transform=at)
        _dates(axes, [one["cutoff"] for one in cutoffs])
        better = "higher" if metric["goal"] == "maximize" else "lower"
        axes.set(ylabel=f"{metric['title']}, {better} is better")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=5, borderaxespad=0)

    far = [name for name in rivals if name not in near]
    beside = f", beside {', '.join(near)}" if near else ""
    gone = f" Missing: {', '.join(missing)}." if missing else ""
    return Plot(
        name="backtest",
        title=f"{metric['title']} over cutoffs",
        caption="Each point is a model that learned from what lies before its cutoff, on test rows that it never saw. "
        "The band holds the 95 % intervals. A hollow point is stale; at a diamond a gate stops the model."
        + (f" Too far away to be shown: {', '.join(far)}." if far else ""),
        alt=f"{metric['title']} of {len(known)} models over the cutoffs {cutoffs[0]['cutoff']} to "
        f"{cutoffs[-1]['cutoff']}{beside}. It goes from {number(known[0])} to {number(known[-1])}.{gone} "
        f"{said['trend']['reason']}",
        svg=draw("backtest", paint, height=HEIGHT, width=WIDTH),
    )


def _baselines(found: Walk) -> list[str]:
    return [baseline.name for baseline in found.backtest.evaluation.model.baselines]


def _day(cutoff: str) -> int:
    return date.fromisoformat(cutoff).toordinal()


def _number(value: float | None) -> float:
    """What is not known breaks a line."""
    return math.nan if value is None else value


def _estimate(metrics: Mapping[str, Any], metric: Mapping[str, str]) -> Mapping[str, float | None]:
    found: Mapping[str, float | None] = metrics.get(metric["name"], {"value": None, "low": None, "high": None})
    return found


def _rival(cutoffs: Sequence[Mapping[str, Any]], name: str, metric: Mapping[str, str]) -> list[float]:
    rows = [one.get("baselines", {}).get(name, {}).get("metrics", {}) for one in cutoffs]
    return [_number(_estimate(row, metric)["value"]) for row in rows]


def _is_near(values: Sequence[float], model: Sequence[Mapping[str, float | None]]) -> bool:
    """Whether some of them lie where the model's line can still be read; a useless baseline would flatten it."""
    ends = [end for one in model for end in one.values() if end is not None]
    room = FAR * (max(ends) - min(ends))
    return any(min(ends) - room <= value <= max(ends) + room for value in values)


def _marks(axes: Axes, cutoffs: Sequence[Mapping[str, Any]], metric: Mapping[str, str]) -> None:
    for one in cutoffs:
        value = _estimate(one.get("metrics", {}), metric)["value"]
        if value is not None:
            stopped = any(gate["stops"] for gate in one["gates"])
            color = BAD if stopped else ACCENT
            face = color if one["state"] == State.CURRENT else "white"
            marker = "D" if stopped else "o"
            axes.plot(_day(one["cutoff"]), value, marker=marker, markersize=6, color=color, markerfacecolor=face)


def _trend(axes: Axes, found: Walk) -> None:
    if found.trend.line is not None:
        days, values = [_day(day) for day, _ in found.trend.line], [value for _, value in found.trend.line]
        axes.plot(days, values, color=SECOND, linewidth=1.2, dashes=(5, 3), label="trend")


def _dates(axes: Axes, cutoffs: Sequence[str]) -> None:
    step = -(-len(cutoffs) // NAMED)
    shown = cutoffs[::-1][::step][::-1]
    axes.set_xticks([_day(cutoff) for cutoff in shown], list(shown), rotation=30, ha="right", rotation_mode="anchor")
    axes.margins(x=0.03)
