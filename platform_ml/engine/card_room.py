"""How much of long tables a page has room for: the worst slices, the features that matter most; card.json has all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_SLICES = 300
MOST_FEATURES = 400
MOST_TABLES = 300
"""Rows of a table: with so many a page stays below 2 MB."""


def room(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What templates print of the long lists in `content`, and how many entries they leave out."""
    slices, features, tables = shown["evaluation"]["slices"], shown["features"], shown["provenance"]["tables"]
    places = sorted(range(len(slices)), key=lambda place: _badness(slices[place]))[:MOST_SLICES]
    titles = shown["evaluation"]["titles"]
    others = [name for name in shown["evaluation"]["splits"]["test"]["metrics"] if name != shown["metric"]]
    return {
        "slices": [slices[place] for place in sorted(places)],
        "slices_left": max(0, len(slices) - MOST_SLICES),
        "features": features[:MOST_FEATURES],
        "features_left": max(0, len(features) - MOST_FEATURES),
        "tables": tables[:MOST_TABLES],
        "tables_left": max(0, len(tables) - MOST_TABLES),
        "others": others,
        "other_titles": [titles.get(name, name) for name in others],
    }


def _badness(one: Mapping[str, Any]) -> tuple[bool, float]:
    """Those that are known to be worst come first, those without enough data last."""
    gap = one["gap"]["value"]
    return gap is None, gap or 0.0
