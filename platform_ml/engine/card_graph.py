"""From the sources to the model as a picture: what was made of what, in which version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from platform_ml.engine.card_plots import ACCENT, FAINT, INK, Plot
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_selection import FeatureSelection
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.label import Label
from platform_ml.spec.project import upstream
from platform_ml.spec.source import Source
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.tuned_model import TunedModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.spec.project import Noun

    Node = dict[str, Any]

KINDS = {
    Source: "source",
    FeatureGroup: "feature group",
    Label: "label",
    EventLabel: "label",
    FeatureView: "feature view",
    TrainingDataset: "dataset",
    FeatureSelection: "selection",
    TunedModel: "model",
}
WIDE, HIGH, ACROSS, DOWN, EDGE = 188, 40, 44, 14, 4
"""Pixels of a box, between boxes beside and below each other, and around all of them."""
FITS = 28
"""Characters of a name that have room in a box."""
SHORT = 12


def graph(model: TunedModel, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Every declaration behind a model with its version, what is made of nothing first; edges by name."""
    nodes: dict[str, Node] = {}
    edges: list[list[str]] = []
    pinned = _versions(model, provenance)

    def visit(noun: Noun) -> int:
        if noun.name not in nodes:
            made_of = upstream(noun)
            layer = 1 + max((visit(parent) for parent in made_of), default=-1)
            kind = KINDS[type(noun)]
            nodes[noun.name] = {"name": noun.name, "kind": kind, "version": pinned.get(noun.name, ""), "layer": layer}
            edges.extend([parent.name, noun.name] for parent in made_of)
        return int(nodes[noun.name]["layer"])

    visit(model)
    return {"nodes": sorted(nodes.values(), key=lambda node: node["layer"]), "edges": edges}


def graph_plot(shown: Mapping[str, Any]) -> Plot:
    """The graph, left to right, as a picture that takes the page's colours."""
    nodes = shown["nodes"]
    made_of = {one["name"]: [start for start, end in shown["edges"] if end == one["name"]] for one in nodes}
    said = "; ".join(f"{name} from {', '.join(of)}" for name, of in made_of.items() if of)
    return Plot(
        name="provenance_graph",
        title="From the sources to the model",
        caption="What is on the left of a line went into what is on its right, in the version that the box names.",
        alt=f"Graph of {len(nodes)} steps. {said}.",
        svg=_svg(nodes, shown["edges"]),
    )


def _versions(model: TunedModel, provenance: Mapping[str, Any]) -> dict[str, str]:
    tables: dict[str, list[str]] = {}
    for used in provenance["tables"]:
        tables.setdefault(used["table"].rpartition("/")[2], []).append(str(used["version"]))
    said = {name: _of(list(dict.fromkeys(versions))) for name, versions in tables.items()}
    dataset, fitted = (provenance[name]["digest"][:SHORT] for name in ("dataset", "model"))
    return said | {model.dataset.name: dataset, model.name: fitted}


def _of(versions: Sequence[str]) -> str:
    return f"version {versions[0]}" if len(versions) == 1 else f"{len(versions)} versions to {versions[-1]}"


def _svg(nodes: Sequence[Node], edges: Sequence[Sequence[str]]) -> str:
    layers: dict[int, list[Node]] = {}
    for node in nodes:
        layers.setdefault(node["layer"], []).append(node)
    rows = max(map(len, layers.values()))
    width = len(layers) * (WIDE + ACROSS) - ACROSS + 2 * EDGE
    height = rows * (HIGH + DOWN) - DOWN + 2 * EDGE
    at = {
        node["name"]: (
            EDGE + layer * (WIDE + ACROSS),
            EDGE + (row + (rows - len(some)) / 2) * (HIGH + DOWN),
        )
        for layer, some in layers.items()
        for row, node in enumerate(some)
    }
    drawn = [_line(at[start], at[end]) for start, end in edges] + [_box(node, *at[node["name"]]) for node in nodes]
    look = "font-family: system-ui, sans-serif"
    return f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" style="{look}">{"".join(drawn)}</svg>'


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    x, y = start[0] + WIDE, start[1] + HIGH / 2
    to_x, to_y = end[0], end[1] + HIGH / 2
    half = (to_x - x) / 2
    path = f"M{x:g} {y:g}C{x + half:g} {y:g} {to_x - half:g} {to_y:g} {to_x:g} {to_y:g}"
    return f'<path d="{path}" style="fill: none; stroke: var(--plot-faint, {FAINT}); stroke-width: 1.5"/>'


def _box(node: Node, x: float, y: float) -> str:
    stroke = f"var(--plot-accent, {ACCENT})" if node["kind"] == "model" else f"var(--plot-faint, {FAINT})"
    said = ", ".join(filter(None, (node["kind"], node["version"])))
    frame = f"fill: none; stroke: {stroke}; stroke-width: 1.5"
    words = ((node["name"], 17, "font-size: 12px; font-weight: 600"), (said, 32, "font-size: 11px"))
    return f'<rect x="{x:g}" y="{y:g}" width="{WIDE}" height="{HIGH}" rx="6" style="{frame}"/>' + "".join(
        f'<text x="{x + 10:g}" y="{y + down:g}" style="fill: var(--plot-ink, {INK}); {look}">{_fit(text)}</text>'
        for text, down, look in words
    )


def _fit(text: str) -> str:
    return escape(text if len(text) <= FITS else text[: FITS - 1] + "…")
