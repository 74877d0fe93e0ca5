"""The catalog as one page that needs no other file, and as a short text for the pages of Dagster."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from platform_ml.engine.card_text import md
from platform_ml.engine.catalog import KINDS, SHORT
from platform_ml.engine.catalog_columns import FEATURE
from platform_ml.engine.model_card import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.catalog import Catalog, Item
    from platform_ml.engine.catalog_columns import CatalogColumn
    from platform_ml.engine.catalog_state import QualityOverTime

TONES = {"current": "good", "stale": "bad", "not approved": "bad"}
OPTIONAL = {
    "unit": "<Unit",
    "lookback": ">Looks back",
    "rule": "<Rule",
    "missing": ">Missing",
    "outlying": ">Outliers",
    "origin": "<From",
    "used_by": "<Used by",
}
"""Columns of the table of columns that are left out where they would be empty."""


def counts(catalog: Catalog) -> dict[str, int]:
    """How much is declared, and how much of it is there."""
    return {
        "declared": len(catalog.items),
        "materialized": sum(item.made is not None for item in catalog.items),
        "stale": sum(item.status == "stale" for item in catalog.items),
        "incomplete": sum(bool(item.made and item.freshness and item.freshness.missing) for item in catalog.items),
        "columns": sum(len(item.columns) for item in catalog.items),
    }


def html(catalog: Catalog) -> str:
    """The page; equal catalogs give equal bytes. Its script runs by its hash, so nothing that it shows can run."""
    from markupsafe import Markup

    templates = environment()
    templates.filters |= {
        "tone": _tone,
        "parts": parts,
        "latest": latest,
        "span": _span,
        "fresh": _fresh,
        "percent": percent,
        "trend": _trend,
        "told": _told,
    }
    script = templates.get_template("catalog.js.j2").render().strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return templates.get_template("catalog.html.j2").render(
        catalog=catalog,
        title=", ".join(project.name for project in catalog.projects),
        counts=counts(catalog),
        kinds=[kind for kind in dict.fromkeys(KINDS.values()) if any(item.kind == kind for item in catalog.items)],
        script=Markup(script),  # noqa: S704 - our own file, without values
        script_hash=f"sha256-{digest}",
    )


def markdown(catalog: Catalog) -> str:
    """A table with a line for each declaration."""
    head = ["name", "kind", "version", "status", "rows", "latest", "quality", "ready"]
    lines = [_line(head), _line(["---"] * len(head))]
    for item in catalog.items:
        rows = f"{item.made.rows:,}" if item.made and item.made.rows is not None else ""
        score = [f"{item.quality.score:.3f}", percent(item.quality.ready_share)] if item.quality else ["", ""]
        lines.append(_line([item.key, item.kind, item.version[:SHORT], item.status, rows, latest(item), *score]))
    troubles = [f"* {md(item.key)}: {md(item.trouble)}" for item in catalog.items if item.trouble]
    return "\n".join([*lines, *(["", *troubles] if troubles else [])])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell if cell == "---" else md(cell) for cell in cells) + " |"


def percent(share: float | None) -> str:
    """A share for a narrow column; what is not nothing does not look like nothing, nor what is not all like all.

    >>> [percent(share) for share in (0, 0.0004, 0.0312, 0.9999, 1, None)]
    ['0 %', '< 0.1 %', '3.1 %', '> 99.9 %', '100 %', '']
    """
    if share is None:
        return ""
    if share in {0, 1}:
        return f"{share:.0%}".replace("%", " %")
    text = f"{100 * share:.1f} %"
    return {"0.0 %": "< 0.1 %", "100.0 %": "> 99.9 %"}.get(text, text)


def parts(item: Item) -> str:
    """How many partitions (or versions) there are, of those that are due."""
    if item.made is None:
        return ""
    there = f"{item.made.partitions:,}"
    return f"{item.freshness.due - item.freshness.missing:,} of {item.freshness.due:,}" if item.freshness else there


def latest(item: Item) -> str:
    """The newest partition or cutoff; of what has none, when it changed."""
    if item.made is None:
        return ""
    return item.made.last if item.freshness or item.made.versions else item.made.changed[:10]


def _tone(item: Item) -> str:
    return TONES.get(item.status, "warn" if item.made else "soft")


def _span(item: Item) -> str:
    made = item.made
    return f"{made.first} to {made.last}" if made and made.partitions > 1 else ""


def _fresh(item: Item) -> str:
    fresh = item.freshness
    if fresh is None or not fresh.expected:
        return ""
    return f"{fresh.behind:,} behind {fresh.expected}" if fresh.behind or not fresh.latest else "as expected"


def _trend(quality: QualityOverTime) -> dict[str, str]:
    """The scores as a line in a box of 100 x 20, from their least to their greatest."""
    scores = [score for _, score, _ in quality.scores]
    low, high = min(scores), max(scores)
    step, scale = 100 / (len(scores) - 1), 20 / (high - low) if high > low else 0
    points = " ".join(f"{n * step:.4g},{20 - (score - low) * scale:.4g}" for n, score in enumerate(scores))
    ends = f"{low:.3f} to {high:.3f}" if f"{low:.3f}" != f"{high:.3f}" else f"about {low:.3f}"
    return {"points": points, "says": f"{ends} over the latest {len(scores)} partitions"}


def _told(columns: Sequence[CatalogColumn]) -> dict[str, Any]:
    """What at least one column has, and the heads of the table."""
    has = {name: any(getattr(column, name) not in {None, "", ()} for column in columns) for name in OPTIONAL}
    # That all features are used by the same views is said above the table already.
    has["used_by"] = len({column.used_by for column in columns if column.role == FEATURE}) > 1
    before = {name: head for name, head in OPTIONAL.items() if has[name] and name == "unit"}
    after = {name: head for name, head in OPTIONAL.items() if has[name] and name != "unit"}
    return has | {"heads": ["<Name", "<Role", "<Type", *before.values(), "<Meaning", *after.values()]}
