"""The annotation of a field as a value: what may stand there."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Named:
    """`int`, `str`, `Family`, `Column`, ..."""

    name: str


@dataclass(frozen=True)
class Nothing:
    """`None`."""


@dataclass(frozen=True)
class OneOf:
    """`Literal[...]`."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Several:
    """`tuple[X, ...]`, or `tuple[X, Y]`, which has as many as it says."""

    items: tuple[Shape, ...]
    any_number: bool


@dataclass(frozen=True)
class Either:
    """`X | Y`."""

    shapes: tuple[Shape, ...]


Shape = Named | Nothing | OneOf | Several | Either
ALIASES: dict[str, Shape] = {
    "Both": OneOf(("both", "earlier")),
    "Winner": OneOf(("first", "last", "greatest", "least")),
    "Period": OneOf(("day", "week", "month", "quarter")),
    "Slicing": Either((Named("str"), Several((Named("str"),), any_number=True), Named("Bands"))),
}
"""Names of annotations that stand for others."""


@cache
def shape_of(annotation: str) -> Shape:
    """Read an annotation.

    >>> shape_of("int | None")
    Either(shapes=(Named(name='int'), Nothing()))
    """
    return _shape(ast.parse(annotation, mode="eval").body)


def _shape(node: ast.expr) -> Shape:
    match node:
        case ast.Constant(value=None):
            return Nothing()
        case ast.Constant(value=str(quoted)):
            return shape_of(quoted)
        case ast.Name(id=name):
            known: Shape | None = ALIASES.get(name)
            return known or Named(name)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            parts = [part for side in (_shape(left), _shape(right)) for part in _parts(side)]
            return Either(tuple(parts))
        case ast.Subscript(value=ast.Name(id="Literal"), slice=chosen):
            values = chosen.elts if isinstance(chosen, ast.Tuple) else [chosen]
            return OneOf(tuple(str(ast.literal_eval(value)) for value in values))
        case ast.Subscript(value=ast.Name(id="tuple"), slice=inner):
            items = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            kept = [item for item in items if not (isinstance(item, ast.Constant) and item.value is Ellipsis)]
            return Several(tuple(map(_shape, kept)), any_number=len(kept) < len(items))
        case _:
            return Named(ast.unparse(node))


def _parts(shape: Shape) -> tuple[Shape, ...]:
    return shape.shapes if isinstance(shape, Either) else (shape,)
