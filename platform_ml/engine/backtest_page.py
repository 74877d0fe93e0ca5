"""A backtest for people: the plot of a metric over cutoffs, the page, and the same as Markdown."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from platform_ml.engine.card_plots import ACCENT, BAD, DASHES, FAINT, INK, SECOND, Plot, draw
from platform_ml.engine.card_text import number
from platform_ml.engine.model_card import environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from platform_ml.engine.backtest import Walk

WIDTH, HEIGHT = 7.2, 3.6
"""Inches."""
NAMED = 12
"""So many cutoffs have room for their names below the plot."""


def html(found: Walk) -> str:
    """The page."""
    return environment().get_template("backtest.html.j2").render(_context(found), plot=plot(found))


def markdown(found: Walk, *, picture: str | None = None) -> str:
    """The plot and the tables; `picture` is where the plot lies, which is inside the text where there is none."""
    return environment().get_template("backtest.md.j2").render(_context(found), plot=plot(found), picture=picture)


def _context(found: Walk) -> dict[str, Any]:
    said, evaluation = found.to_json(), found.backtest.evaluation
    measured = [one for one in said["cutoffs"] if "metrics" in one]
    slices: dict[tuple[str, str], dict[str, Any]] = {}
    for one in measured:
        for part in one["slices"]:
            slices.setdefault((part["column"], part["value"]), {})[one["cutoff"]] = part
    return {
        "said": said,
        "title": found.backtest.name.replace("_", " "),
        "metric": said["metrics"][0],
        "baselines": [baseline.name for baseline in evaluation.model.baselines],
        "measured": measured,
        "slices": [{"title": f"{column} = {value}", "at": at} for (column, value), at in sorted(slices.items())],
        "gates": found.backtest.registration is not None,
        "without": [one for one in said["cutoffs"] if one["why"]],
    }


def plot(found: Walk) -> Plot | None:
    """The first metric on the test rows of each cutoff with its intervals, baselines and the trend; None of nothing."""
    said = found.to_json()
    measured = [one for one in said["cutoffs"] if "metrics" in one]
    if not measured:
        return None
    metric, missing = said["metrics"][0], [one["cutoff"] for one in said["cutoffs"] if "metrics" not in one]
    rivals = [baseline.name for baseline in found.backtest.evaluation.model.baselines]

    def paint(axes: Axes) -> None:
        for place, name in enumerate(rivals):
            _line(axes, measured, lambda one, name=name: one["baselines"].get(name, {}).get("metrics", {}), metric,
                  color=INK, dashes=DASHES[place % len(DASHES)], label=name)  # fmt: skip
        _band(axes, measured, metric)
        _line(axes, measured, lambda one: one["metrics"], metric, color=ACCENT, label="model")
        _marks(axes, measured, metric)
        _trend(axes, found)
        for cutoff in missing:
            axes.axvline(_day(cutoff), color=FAINT, linewidth=1, dashes=(1, 2))
            at = axes.get_xaxis_transform()  # days, and the share of the height
            axes.text(_day(cutoff), 0.02, "missing ", color=INK, rotation=90, fontsize=8, ha="right", transform=at)
        _dates(axes, [one["cutoff"] for one in said["cutoffs"]])
        better = "higher" if metric["goal"] == "maximize" else "lower"
        axes.set(ylabel=f"{metric['title']}, {better} is better")
        axes.legend(loc="upper left", bbox_to_anchor=(0, 1.14), ncols=5, borderaxespad=0)

    values = [one["metrics"][metric["name"]]["value"] for one in measured]
    known = [value for value in values if value is not None]
    ends = f" It goes from {number(known[0])} to {number(known[-1])}." if known else ""
    gone = f" {len(missing)} cutoffs are missing." if missing else ""
    return Plot(
        name="backtest",
        title=f"{metric['title']} over cutoffs",
        caption="Each point is a model that learned from what lies before its cutoff, on test rows that it never saw. "
        "The band holds the 95 % intervals. A hollow point is stale; at a diamond a gate stops the model.",
        alt=f"{metric['title']} of {len(measured)} models over the cutoffs {measured[0]['cutoff']} to "
        f"{measured[-1]['cutoff']}, beside {', '.join(rivals)}.{ends}{gone} {said['trend']['reason']}",
        svg=draw("backtest", paint, height=HEIGHT, width=WIDTH),
    )


def _day(cutoff: str) -> int:
    return date.fromisoformat(cutoff).toordinal()


def _line(axes: Axes, measured: Sequence[Mapping[str, Any]], of: Any, metric: Mapping[str, str], **look: Any) -> None:
    points = [(_day(one["cutoff"]), of(one).get(metric["name"], {}).get("value")) for one in measured]
    points = [(day, value) for day, value in points if value is not None]
    if points:
        x, y = zip(*points, strict=True)
        axes.plot(x, y, linewidth=1.3 if "dashes" in look else 2, **look)


def _band(axes: Axes, measured: Sequence[Mapping[str, Any]], metric: Mapping[str, str]) -> None:
    estimates = [(_day(one["cutoff"]), one["metrics"][metric["name"]]) for one in measured]
    known = [(day, one["low"], one["high"]) for day, one in estimates if one["low"] is not None]
    if not known:
        return
    x, low, high = zip(*known, strict=True)
    axes.fill_between(x, low, high, color=ACCENT, alpha=0.16, linewidth=0)
    axes.vlines(x, low, high, color=ACCENT, linewidth=1, alpha=0.7)


def _marks(axes: Axes, measured: Sequence[Mapping[str, Any]], metric: Mapping[str, str]) -> None:
    for one in measured:
        value = one["metrics"][metric["name"]]["value"]
        if value is None:
            continue
        stopped = any(gate["stops"] for gate in one["gates"])
        color = BAD if stopped else ACCENT
        face = color if one["state"] == "current" else "white"
        marker, size = ("D", 6) if stopped else ("o", 6)
        axes.plot(_day(one["cutoff"]), value, marker=marker, markersize=size, color=color, markerfacecolor=face)


def _trend(axes: Axes, found: Walk) -> None:
    comparable = [point.cutoff for point in found.points if point.standing.state in ("current", "stale")]
    if found.trend.line and comparable:
        ends = (_day(comparable[0]), _day(comparable[-1]))
        axes.plot(ends, found.trend.line, color=SECOND, linewidth=1.2, dashes=(5, 3), label="trend")


def _dates(axes: Axes, cutoffs: Sequence[str]) -> None:
    step = -(-len(cutoffs) // NAMED)
    shown = cutoffs[::-1][::step][::-1]
    axes.set_xticks([_day(cutoff) for cutoff in shown], list(shown), rotation=30, ha="right", rotation_mode="anchor")
    axes.margins(x=0.03)
