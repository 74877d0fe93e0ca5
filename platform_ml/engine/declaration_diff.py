"""What two declarations mean differently, as sentences that name the declaration and the field."""

from __future__ import annotations

import json
from typing import Any

NOUNS = ("Source", "FeatureGroup", "Label", "FeatureView", "TrainingDataset", "TunedModel")
SHOWN = 60
"""Characters of a value in a sentence."""


def declaration_changes(then: Any, now: Any) -> list[str]:
    """The differences of two `meaning`s; one that is reached on several ways is told once.

    >>> then = {"is": "FeatureGroup", "name": "trips", "features": [{"is": "Total", "days": 7}]}
    >>> now = {"is": "FeatureGroup", "name": "trips", "features": [{"is": "Total", "days": 14}]}
    >>> declaration_changes(then, now)
    ['FeatureGroup trips: features: Total.days: 7 → 14']
    """
    return sorted(set(_walk(then, now, "")))


def _walk(then: Any, now: Any, where: str) -> list[str]:
    if then == now:
        return []
    if isinstance(then, dict) and isinstance(now, dict) and then.get("is") == now.get("is"):
        return _fields(then, now, _place(then, now, where))
    if isinstance(then, list) and isinstance(now, list):
        return _items(then, now, where)
    return [f"{where}: {_short(then)} → {_short(now)}"]


def _place(then: dict[str, Any], now: dict[str, Any], where: str) -> str:
    kind = then.get("is")
    if kind in NOUNS and then.get("name") == now.get("name"):
        return f"{kind} {now['name']}:"
    return f"{where} {kind}" if kind else where


def _fields(then: dict[str, Any], now: dict[str, Any], where: str) -> list[str]:
    found = []
    for name in {**then, **now}:
        at = f"{where} {name}" if where.endswith(":") else f"{where}.{name}"
        if name not in now:
            found.append(f"{at}: {_short(then[name])} is gone")
        elif name not in then:
            found.append(f"{at}: {_short(now[name])} is new")
        else:
            nested = isinstance(then[name], dict | list)
            found += _walk(then[name], now[name], f"{at}:" if nested else at)
    return found


def _items(then: list[Any], now: list[Any], where: str) -> list[str]:
    """Equal items belong together wherever they stand, and of the others those of one kind and name."""
    where = where.removesuffix(":")
    gone, new = [item for item in then if item not in now], [item for item in now if item not in then]
    if not gone and not new:
        return [f"{where}: the order changed" if len(then) == len(now) else f"{where}: an item is repeated"]
    found = []
    for item in list(gone):
        partner = next((other for other in new if _kin(item, other)), None)
        if partner is not None:
            gone.remove(item)
            new.remove(partner)
            found += _walk(item, partner, f"{where}:")
    found += [f"{where}: {_short(item)} is gone" for item in gone]
    return found + [f"{where}: {_short(item)} is new" for item in new]


def _kin(one: Any, other: Any) -> bool:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return False
    return bool(one.get("is") == other.get("is") and one.get("name") == other.get("name"))


def _short(value: Any) -> str:
    if isinstance(value, dict) and "is" in value:
        fields = ", ".join(f"{name}={_short(item)}" for name, item in value.items() if name != "is")
        text = f"{value['is']}({fields})"
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
