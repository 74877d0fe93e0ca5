"""The plots of a card: SVG that is the same on every run, takes the page's colours, and says in words what it shows."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine.card_text import number, places
from platform_ml.spec.task import BINARY, MULTICLASS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

    from platform_ml.spec.evaluation import EvaluationResult, Slice

    Points = Sequence[tuple[float, float]]

ROC, CALIBRATION, SCORES, RESIDUALS = "roc", "calibration", "score_histogram", "residuals"
"""Names in `EvaluationResult.curves`: (false alarms, hits), (predicted, observed), (middle of a bin, share of rows) of
predictions and of residuals."""
BASELINE_ROC = "baseline_roc_"
NDCG_AT, NDCG_BY_SIZE = "ndcg_at", "ndcg_by_size"
"""(place at which an order is cut, NDCG there); (rows of a group, NDCG@10 of such groups)."""

WIDTH = 4.5
"""Inches: wide enough beside a second plot, and readable on a phone without zooming."""
INK, FAINT, ACCENT, SECOND, BAD = "#767c87", "#b4bac4", "#4a84d9", "#c8792b", "#d1594c"
VARIABLES = {INK: "ink", FAINT: "faint", ACCENT: "accent", SECOND: "second", BAD: "bad"}
"""A page sets `--plot-ink` and so on; alone, as in Dagster, the plot keeps these tones, readable on white and black."""
DASHES = ((4, 2), (1, 1.5), (6, 1.5, 1, 1.5), (2, 2))
MOST_BARS = 15
MOST_SLICES = 24
MOST_CLASSES = 12
LONGEST = 30
FLAT_NAMES = 5
"""So many class names have room beside each other."""


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A picture with its words."""

    name: str
    title: str
    caption: str
    """How to read it."""
    alt: str
    """What it shows, for those who do not see it."""
    svg: str


def plots(result: EvaluationResult, *, metric: str) -> tuple[Plot, ...]:
    """Every plot that the evaluation has points for; `metric` is the one that slices are compared by."""
    own = (_roc(result), _calibration(result), _scores(result), _residuals(result), _confusion(result))
    ranks = (_ndcg(result, NDCG_AT), _ndcg(result, NDCG_BY_SIZE))
    found = (*own, *ranks, _importance(result), _slices(result, metric))
    return tuple(plot for plot in found if plot is not None)


def _roc(result: EvaluationResult) -> Plot | None:
    points = result.curves.get(ROC)
    if not points:
        return None
    curves = {name: result.curves.get(BASELINE_ROC + name) for name in result.baselines}
    rivals = {name: curve for name, curve in curves.items() if curve}

    def paint(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
        for place, (name, curve) in enumerate(rivals.items()):
            x, y = zip(*curve, strict=True)
            axes.plot(x, y, color=INK, linewidth=1.3, dashes=DASHES[place % len(DASHES)], label=short(name))
        x, y = zip(*points, strict=True)
        axes.plot(x, y, color=ACCENT, linewidth=2, label="model")
        axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="False alarms", ylabel="Hits")
        axes.legend(loc="lower right", reverse=True)

    area = result.test("roc_auc").value
    said = "" if area is None else f" The area under the model's curve is {number(area)}."
    against = f" against {', '.join(rivals)}" if rivals else ""
    return Plot(
        name="roc",
        title="Hits and false alarms",
        caption="Share of true cases that are found (hits) at each share of false alarms. Up and left is better.",
        alt=f"ROC curve of the model{against} on the test rows.{said}",
        svg=draw("roc", paint),
    )


def _calibration(result: EvaluationResult) -> Plot | None:
    points = result.curves.get(CALIBRATION)
    if not points:
        return None
    binary, likeliest = result.task in {BINARY, MULTICLASS}, result.task == MULTICLASS
    ends = [end for point in points for end in point]
    low, top = min(0.0, 1.08 * min(ends)), 1.08 * max(ends)
    top = (min(1.0, top) if binary else top) or 1.0

    def paint(axes: Axes) -> None:
        axes.plot([low, top], [low, top], color=FAINT, linewidth=1)
        x, y = zip(*points, strict=True)
        axes.plot(x, y, color=ACCENT, linewidth=1.5, marker="o", markersize=4.5, clip_on=False)
        axes.set(xlim=(low, top), ylim=(low, top), xlabel="Predicted", ylabel="Observed")

    off = max(points, key=lambda point: abs(point[0] - point[1]))
    return Plot(
        name="calibration",
        title="Are the probabilities right?" if binary else "Are the predictions right on average?",
        caption=f"Among rows with about the same {'chance of the likeliest class' if likeliest else 'prediction'}, "
        f"{'how often it came true' if binary else 'the mean truth'}. On the straight line both agree.",
        alt=f"Calibration curve of {len(points)} groups of test rows. They differ most where {number(off[0])} was "
        f"predicted and {number(off[1])} observed.",
        svg=draw("calibration", paint),
    )


def _scores(result: EvaluationResult) -> Plot | None:
    points = result.curves.get(SCORES)
    if not points:
        return None

    def paint(axes: Axes) -> None:
        _bars(axes, points, xlabel="Predicted")

    peak, rows = max(points, key=lambda point: point[1])
    return Plot(
        name="scores",
        title="How predictions spread",
        caption="Share of the test rows at each prediction. A useful model uses much of the range.",
        alt=f"Histogram of the predictions for test rows in {len(points)} bins. The fullest, around {number(peak)}, "
        f"holds {number(100 * rows)} % of the rows.",
        svg=draw("scores", paint),
    )


def _residuals(result: EvaluationResult) -> Plot | None:
    points = result.curves.get(RESIDUALS)
    if not points:
        return None

    def paint(axes: Axes) -> None:
        _bars(axes, points, xlabel="Prediction minus truth")
        axes.axvline(0, color=INK, linewidth=1)

    middle, size = (result.residuals.get(name) for name in ("p50", "median_absolute"))
    return Plot(
        name="residuals",
        title="How far off are predictions?",
        caption="Share of the test rows at each error. Right of the line is predicted too high; the outer bars hold "
        "all that lies beyond.",
        alt=f"Histogram of prediction minus truth for test rows in {len(points)} bins. Half of the rows are off by "
        f"{number(size)} or less; the median error is {number(middle, signed=True)}.",
        svg=draw("residuals", paint),
    )


def _confusion(result: EvaluationResult) -> Plot | None:
    order = sorted(range(len(result.classes)), key=lambda place: (-result.classes[place].rows, place))[:MOST_CLASSES]
    shown = [result.classes[place] for place in order if result.classes[place].rows]
    if not shown:
        return None
    shares = [[one.predicted[at] / one.rows for at in order] for one in shown]

    def paint(axes: Axes) -> None:
        from matplotlib.patches import Rectangle

        for row, of in enumerate(shares):
            for at, share in enumerate(of):
                place = (at - 0.48, row - 0.48)
                axes.add_patch(Rectangle(place, 0.96, 0.96, facecolor=ACCENT, alpha=round(share, 3), linewidth=0))
                axes.text(at, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=8)
        names = [short(result.classes[place].name)[:14] for place in order]
        axes.set_xticks(range(len(order)), names, rotation=40 if len(order) > FLAT_NAMES else 0)
        axes.set_yticks(range(len(shown)), [short(one.name)[:14] for one in shown])
        axes.set(xlim=(-0.5, len(order) - 0.5), ylim=(len(shown) - 0.5, -0.5), xlabel="Predicted", ylabel="Truth")
        axes.grid(visible=False)

    worst = min(shown, key=lambda one: one.recall or 0.0)
    left = len(result.classes) - len(order)
    return Plot(
        name="confusion",
        title="What is taken for what?",
        caption="Per cent of the test rows of a class, by what they are predicted as; the diagonal is right."
        + (f" {number(left)} rarer classes are left out." if left else ""),
        alt=f"Confusion matrix of {len(shown)} classes. Least often right is {worst.name}, in "
        f"{number(100 * (worst.recall or 0.0))} % of its rows.",
        svg=draw("confusion", paint, height=1.2 + 0.3 * len(shown)),
    )


def _ndcg(result: EvaluationResult, curve: str) -> Plot | None:
    points = result.curves.get(curve)
    if not points:
        return None
    curves = {name: result.curves.get(f"baseline_{curve}_{name}") for name in result.baselines}
    rivals = {name: of for name, of in curves.items() if of}
    by_size = curve == NDCG_BY_SIZE

    def paint(axes: Axes) -> None:
        for place, (name, of) in enumerate(rivals.items()):
            x, y = zip(*of, strict=True)
            axes.plot(x, y, color=INK, linewidth=1.3, dashes=DASHES[place % len(DASHES)], label=short(name))
        x, y = zip(*points, strict=True)
        axes.plot(x, y, color=ACCENT, linewidth=2, marker="o", markersize=4, label="model")
        axes.set(ylim=(0, 1.01), xlabel="Rows of a group" if by_size else "Cut after so many rows")
        axes.set(ylabel="NDCG@10" if by_size else "NDCG")
        axes.legend(loc="lower right", reverse=True)

    least = min(points, key=lambda point: point[1])
    against = f" against {', '.join(rivals)}" if rivals else ""
    where = f"groups of about {number(least[0], 1)} rows" if by_size else f"the first {number(int(least[0]))} rows"
    return Plot(
        name=curve,
        title="Is it as good in large groups?" if by_size else "How good is the top of the order?",
        caption="Mean NDCG of test groups; 1 is the best order there is. Groups without a relevant row are left out.",
        alt=f"NDCG of the model{against} on the test rows. It is least for {where}: {number(least[1])}.",
        svg=draw(curve, paint),
    )


def _bars(axes: Axes, points: Points, *, xlabel: str) -> None:
    middles = [middle for middle, _ in points]
    width = (middles[-1] - middles[0]) / (len(middles) - 1) if len(middles) > 1 else 1.0
    axes.bar(middles, [100 * rows for _, rows in points], width=0.86 * width, color=ACCENT, linewidth=0)
    axes.set(xlim=(middles[0] - width / 2, middles[-1] + width / 2), xlabel=xlabel, ylabel="Per cent of rows")
    axes.grid(visible=False, axis="x")


def _importance(result: EvaluationResult) -> Plot | None:
    top = sorted(result.importance, key=lambda item: (-item.mean_abs_shap, item.feature))[:MOST_BARS]
    if not top:
        return None
    at = places(item.mean_abs_shap for item in top)

    def paint(axes: Axes) -> None:
        bars = axes.barh([short(item.feature) for item in top], [item.mean_abs_shap for item in top], height=0.62)
        axes.bar_label(bars, [number(item.mean_abs_shap, at) for item in top], padding=4, color=INK)
        axes.set(xlabel="Mean absolute SHAP value")
        axes.invert_yaxis()
        axes.margins(x=0.18, y=0.02)
        axes.grid(visible=False, axis="y")

    rest = len(result.importance) - len(top)
    named = ", ".join(f"{item.feature} {number(item.mean_abs_shap, at)}" for item in top[:3])
    return Plot(
        name="importance",
        title="What moves a prediction",
        caption="How far each feature moves the predictions for test rows, on average, up or down."
        + ("" if not rest else f" {_the_least(rest)} left out."),
        alt=f"Bar chart of {len(top)} features by mean absolute SHAP value. The largest: {named}.",
        svg=draw("importance", paint, height=0.9 + 0.24 * len(top)),
    )


def _the_least(rest: int) -> str:
    return "The one that moves them least is" if rest == 1 else f"The {number(rest)} features that move them least are"


def _slices(result: EvaluationResult, metric: str) -> Plot | None:
    known = sorted(filter(_is_known, result.slices), key=lambda item: (_gap(item), item.title))
    shown = known[:MOST_SLICES]
    if not shown:
        return None
    title = result.titles.get(metric, metric)

    def paint(axes: Axes) -> None:
        axes.axvline(0, color=INK, linewidth=1)
        for row, item in enumerate(shown):
            low, high = item.gap.low, item.gap.high
            color = BAD if high is not None and high < 0 else ACCENT
            if low is not None and high is not None:
                axes.plot([low, high], [row, row], color=color, linewidth=1.6)
            axes.plot(_gap(item), row, color=color, marker="D" if color == BAD else "o", markersize=5)
        axes.set_yticks(range(len(shown)), [short(item.title) for item in shown])
        axes.set(xlabel="Gap to all test rows")
        axes.invert_yaxis()
        axes.margins(y=0.5 / len(shown))
        axes.grid(visible=False, axis="y")

    hidden, silent = len(known) - len(shown), len(result.slices) - len(known)
    worse = sum(item.gap.high is not None and item.gap.high < 0 for item in known)
    return Plot(
        name="slices",
        title="Is it equally good for all?",
        caption=f"Gap in {title}. Left of the line is worse than overall. A diamond marks a slice whose whole interval "
        "is worse."
        + (f" {number(hidden)} better slices are left out." if hidden else "")
        + (f" Without enough data and left out: {number(silent)}." if silent else ""),
        alt=f"Gap in {title} of {len(shown)} slices to all test rows, with intervals. Worst: {shown[0].title}, "
        f"{number(_gap(shown[0]), signed=True)}. The whole interval is worse in {worse} of {len(known)} slices.",
        svg=draw("slices", paint, height=0.9 + 0.26 * len(shown)),
    )


def _is_known(item: Slice) -> bool:
    return item.gap.value is not None


def _gap(item: Slice) -> float:
    return item.gap.value or 0.0


def short(text: str) -> str:
    """A name as it has room beside an axis."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def draw(name: str, paint: Callable[[Axes], None], *, height: float = 3.3, width: float = WIDTH) -> str:
    """An SVG that can stand in a page beside others, of a size in inches."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    out = io.StringIO()
    with mpl.rc_context(), warnings.catch_warnings():
        # Letters that matplotlib's font lacks: the browser draws the text, with its own fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        mpl.rcdefaults()
        mpl.rcParams.update(_style(name))
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        axes.set_prop_cycle(color=[ACCENT])
        axes.set_axisbelow(True)
        paint(axes)
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", transparent=True, metadata=nothing)
    return _tidy(out.getvalue(), name, width)


def _style(name: str) -> dict[Any, Any]:
    inked = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "legend.labelcolor")
    bare = ("axes.spines.top", "axes.spines.right", "axes.spines.left", "legend.frameon", "text.parse_math")
    return {
        **dict.fromkeys(inked, INK),
        **dict.fromkeys(bare, False),
        "svg.hashsalt": name,
        "svg.fonttype": "none",
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.edgecolor": FAINT,
        "axes.linewidth": 0.8,
        "axes.grid": True,
        "axes.formatter.useoffset": False,
        "axes.unicode_minus": True,
        "grid.color": FAINT,
        "grid.alpha": 0.35,
        "grid.linewidth": 0.6,
        "xtick.major.size": 0,
        "xtick.major.pad": 6,
        "ytick.major.size": 0,
        "ytick.major.pad": 6,
        "legend.handlelength": 2.4,
    }


def _tidy(svg: str, name: str, width: float) -> str:
    """Make a fragment that can stand in a page beside others: ids of its own, the page's colours and font."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->|<style.*?</style>|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\1{name}-", svg)
    for color, role in VARIABLES.items():
        svg = svg.replace(color, f"var(--plot-{role}, {color})")
    svg = re.sub(r"font-family: [^;\"]+; | transform=\"rotate\(-0 [^\"]+\"", "", svg)
    svg = re.sub(r'width="[\d.]+pt" height="[\d.]+pt" ', "", svg, count=1)
    look = "font-family: system-ui, sans-serif; stroke-linejoin: round"
    svg = svg.replace("<svg ", f'<svg style="{look}" width="{width * 96:g}" ', 1)
    return re.sub(r">\s+<|<g/>|<defs></defs>", lambda found: "><" if found[0][0] == ">" else "", " ".join(svg.split()))
