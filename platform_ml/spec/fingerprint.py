"""One hash for the meaning of a declaration: it travels from code to Dagster, manifest, tracker and card."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import date, timedelta
from typing import Any

from platform_ml.spec.errors import DeclarationError

SEMANTICS = 1
"""Raised when the engine computes something else from the same declaration."""
PROSE = {"prose": True}
"""Field metadata for text that people read: changing it recomputes nothing."""
JUDGED = PROSE
"""Field metadata for what rows are held against, which is no part of what they are: changing it recomputes nothing."""
ADDED = {"added": True}
"""Field metadata for what was added later: at its default it means what was meant before, and recomputes nothing."""


def replacing(**before: Any) -> dict[str, Any]:
    """Field metadata for what took the place of other fields: at its default it means what these values of them meant.

    The fields are gone, but what was made from a declaration that had them stays as it is.
    """
    return {**ADDED, "before": before}


MEANT = "_meant"


def meaning(value: Any) -> Any:
    """The JSON-able meaning of a declaration: names, numbers and nesting, without prose."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        known = vars(value)  # declarations are immutable, and each is part of all that are downstream: walked once
        if MEANT not in known:
            named = dict[str, Any]()
            for f in dataclasses.fields(value):
                silent = _is_silent(f, getattr(value, f.name))
                named |= f.metadata.get("before", {}) if silent else {f.name: meaning(getattr(value, f.name))}
            known[MEANT] = {"is": type(value).__name__} | named
        return known[MEANT]
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return repr(value)
        case date():
            return value.isoformat()
        case timedelta():
            return value / timedelta(microseconds=1)
        case tuple() | list():
            return [meaning(item) for item in value]
        case dict():
            return {str(key): meaning(item) for key, item in sorted(value.items())}
    raise DeclarationError(f"A declaration cannot hold a {type(value).__name__}: {value!r}. Use plain values.")


def _is_silent(field: dataclasses.Field[Any], value: Any) -> bool:
    return bool(field.metadata.get("prose") or (field.metadata.get("added") and value == field.default))


def digest(value: Any) -> str:
    """The sha256 of a JSON-able value, independent of key order and formatting."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(declaration: Any) -> str:
    """The hash of what a declaration means, upstream declarations included."""
    return digest({"semantics": SEMANTICS, "declaration": meaning(declaration)})
