"""What a YAML file may name where a declaration asks for a part, and what it may not, because it could run code."""

from __future__ import annotations

import dataclasses
import importlib
from functools import cache
from typing import Any

import platform_ml
from platform_ml.formats import Read
from platform_ml.spec.explanation import Explanation
from platform_ml.spec.late import Late
from platform_ml.spec.retry import Retry
from platform_ml.spec.window import Cadence
from platform_ml.tuners import GP, TPE, Asha, Convergence, Latency, Median, Random, Size

FOLDERS = {
    "DataCheck": "checks",
    "Drift": "checks",
    "Family": "families",
    "Feature": "features",
    "Format": "formats",
    "Gate": "gates",
    "Metric": "metrics",
    "Outcome": "outcomes",
    "Outliers": "outliers",
    "Preparation": "preparations",
    "Resampling": "resamplings",
    "Splitter": "splitters",
}
"""The annotation of a field → the folder of the parts that it can be."""
TYPES = ("Boolean", "Decimal", "Double", "Integer", "Text", "Timestamp")
CHOSEN = {"Tuner": (GP, Random, TPE), "Pruner": (Asha, Median), "Objective": (Latency, Size)}
PLAIN = (Explanation, Late, Read, Retry, Convergence)
"""Declarations that are written as a mapping of their fields, beside the nouns of `platform_ml`."""
WITHHELD = {
    "PanderaRule": "it names code to import",
    "Rule": "it holds SQL",
    "Windowed": "it takes another declaration apart",
    "References": "it takes another source",
}
"""Parts that only Python can declare, and why."""
WITHHELD_FIELDS = {"adds", "derived", "origin", "schema", "sql"}
"""Fields that hold SQL, code or places of other machines."""


@cache
def choices(annotation: str) -> dict[str, type[Any]] | None:
    """Name → class of what can stand where a field is annotated so; None: no part is asked for."""
    if annotation in FOLDERS:
        folder = importlib.import_module(f"platform_ml.{FOLDERS[annotation]}")
        there = {name: getattr(folder, name) for name in sorted(folder.__all__)}
        return {name: one for name, one in there.items() if isinstance(one, type) and one not in PLAIN}
    if annotation == "Type":
        return {name: getattr(platform_ml, name) for name in TYPES}
    if annotation == "Cadence":
        nouns = {name: getattr(platform_ml, name) for name in platform_ml.__all__}
        return {name: noun for name, noun in nouns.items() if isinstance(noun, type) and issubclass(noun, Cadence)}
    if annotation in CHOSEN:
        return {chosen.__name__: chosen for chosen in CHOSEN[annotation]}
    if annotation in {"Between", "Whole", "Bands"}:
        return {annotation: getattr(platform_ml, annotation)}
    splitters = choices("Splitter") if annotation != "Splitter" else None
    return {annotation: splitters[annotation]} if splitters and annotation in splitters else None


def plain(annotation: str) -> type[Any] | None:
    """The declaration that is written as a mapping where a field is annotated so."""
    found = {one.__name__: one for one in PLAIN}.get(annotation) or getattr(platform_ml, annotation, None)
    return found if isinstance(found, type) and dataclasses.is_dataclass(found) else None


def allowed(declaration: type[Any], but: frozenset[str] = frozenset()) -> dict[str, dataclasses.Field[Any]]:
    """The fields of a declaration that a YAML file may set."""
    return {
        field.name: field
        for field in dataclasses.fields(declaration)
        if field.init and field.name not in WITHHELD_FIELDS and field.name not in but
    }


def needed(field: dataclasses.Field[Any]) -> bool:
    """Whether it has no default."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
