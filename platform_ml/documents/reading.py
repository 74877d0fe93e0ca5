"""YAML as declarations: every value is read as the type that its field declares, and nothing in it can run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import yaml

from platform_ml.documents.parts import WITHHELD, allowed, choices, needed, plain
from platform_ml.documents.shape import Either, Named, Nothing, OneOf, Several, Shape, shape_of
from platform_ml.spec.errors import DeclarationError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
PLAIN_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq")
}
NULLS = ("", "null", "~")


class WrongKindError(DeclarationError):
    """What stands there is of another kind: another reading of the same field may fit."""


@dataclass(frozen=True)
class Reader:
    """Reads one file; every error names file, line and key."""

    file: str

    def fail(
        self, node: yaml.Node, path: str, problem: str, error: type[DeclarationError] = DeclarationError
    ) -> NoReturn:
        """Refuse what stands at a node."""
        raise error(f"{self.file}:{node.start_mark.line + 1}: {path or 'the file'}: {problem}")

    def document(self, text: str) -> yaml.Node:
        """The only document of a file; aliases and tags are refused."""
        try:
            nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
            aliases = [
                event for event in yaml.parse(text, Loader=yaml.SafeLoader) if isinstance(event, yaml.AliasEvent)
            ]
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark else ""
            raise DeclarationError(
                f"{self.file}{line}: this is no YAML: {getattr(error, 'problem', error)}."
            ) from error
        if len(nodes) != 1 or nodes[0] is None:
            raise DeclarationError(f"{self.file}: a file holds one project, not {len(nodes)}.")
        if aliases:
            mark = aliases[0].start_mark
            line = f":{mark.line + 1}" if mark else ""
            raise DeclarationError(f"{self.file}{line}: *{aliases[0].anchor}: write the value out.")
        return nodes[0]

    def mapping(
        self, node: yaml.Node, path: str, known: Mapping[str, object]
    ) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Key → its own node and that of its value; unknown and repeated keys are refused."""
        if not isinstance(node, yaml.MappingNode):
            self.fail(node, path, f"needs a mapping of keys like {', '.join(list(known)[:3])}.", WrongKindError)
        found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in known:
                self.fail(
                    key, _at(path, name), f"there is no such key.{did_you_mean(name, known)} Known: {_list(known)}."
                )
            if name in found:
                self.fail(key, _at(path, name), "it stands here twice. Drop one.")
            found[name] = (key, value)
        return found

    def declare(self, make: Callable[..., T], node: yaml.Node, path: str, values: dict[str, Any]) -> T:
        """Make a declaration; what it refuses gets the place where it stands."""
        try:
            return make(**values)
        except (DeclarationError, TypeError) as error:
            if str(error).startswith(self.file):
                raise
            self.fail(node, path, str(error))

    def fields(
        self, declaration: type[Any], node: yaml.Node, path: str, given: dict[str, Any], defaults: dict[str, Any]
    ) -> Any:
        """A declaration from the mapping of its fields.

        Args:
            declaration: its class.
            node: the mapping.
            path: of the mapping in the file.
            given: fields that the file cannot set.
            defaults: values of fields that it leaves out.
        """
        known = allowed(declaration, frozenset(given))
        found = self.mapping(node, path, known)
        values = defaults | {
            name: self.value(value, shape_of(str(known[name].type)), _at(path, name))
            for name, (_, value) in found.items()
        }
        missing = [name for name, field in known.items() if needed(field) and name not in values]
        if missing:
            self.fail(node, path, f"{declaration.__name__} needs {missing[0]!r}.")
        return self.declare(declaration, node, path, values | given)

    def value(self, node: yaml.Node, shape: Shape, path: str) -> Any:
        """What stands at a node, read as what may stand there."""
        if node.tag not in PLAIN_TAGS:
            self.fail(node, path, f"the tag {node.tag!r} means nothing here. Write a plain value.")
        match shape:
            case Either(shapes):
                return self._either(node, shapes, path)
            case Several():
                return self._several(node, shape, path)
            case Named(name):
                return self._named(node, name, path)
            case Nothing():
                return self._scalar(node, path, lambda text: None if text in NULLS else _no("null"), plain_only=True)
            case OneOf(values):
                said = f"one of {', '.join(values)}"
                return self._scalar(node, path, lambda text: text if text in values else _no(said, text, values))

    def _either(self, node: yaml.Node, shapes: tuple[Shape, ...], path: str) -> Any:
        first: WrongKindError | None = None
        for shape in sorted(shapes, key=lambda one: not isinstance(one, Nothing)):
            try:
                return self.value(node, shape, path)
            except WrongKindError as error:
                first = error if first is None or isinstance(shape, Named) else first
        raise first or WrongKindError(path)

    def _several(self, node: yaml.Node, shape: Several, path: str) -> tuple[Any, ...]:
        if not isinstance(node, yaml.SequenceNode):
            self.fail(node, path, "needs a list: [one, another], or a line `- one` for each.", WrongKindError)
        if not shape.any_number and len(node.value) != len(shape.items):
            self.fail(node, path, f"needs {len(shape.items)} values, not {len(node.value)}.")
        shapes = shape.items * len(node.value) if shape.any_number else shape.items
        found: list[Any] = []
        for number, (item, one) in enumerate(zip(node.value, shapes, strict=True)):
            read = self.value(item, one, f"{path}[{number}]")
            found += read if one == Named("Feature") else [read]
        return tuple(found)

    def _named(self, node: yaml.Node, name: str, path: str) -> Any:
        if name in SCALARS:
            return self._scalar(node, path, SCALARS[name], plain_only=name != "str")
        parts = choices(name)
        if parts is not None:
            return self._part(node, name, parts, path)
        noun = plain(name)
        if noun is None:
            self.fail(node, path, "only Python can declare this. Write the project as Python, or leave it out.")
        return self.fields(noun, node, path, {}, {})

    def _part(self, node: yaml.Node, kind: str, parts: Mapping[str, type[Any]], path: str) -> Any:
        """`Name`, or `Name: {field: value}`; of a rolling feature `days` may be a list, and then it is several."""
        inside: yaml.Node = yaml.MappingNode("tag:yaml.org,2002:map", [], node.start_mark, node.end_mark)
        if isinstance(node, yaml.ScalarNode):
            name = node.value
        elif isinstance(node, yaml.MappingNode) and len(node.value) == 1:
            name, inside = str(node.value[0][0].value), node.value[0][1]
        else:
            self.fail(node, path, f"needs the name of a {kind}, or `Name: {{field: value}}`.", WrongKindError)
        if name in WITHHELD:
            self.fail(node, path, f"{name} is for Python: {WITHHELD[name]}.")
        if name not in parts:
            known = [part for part in parts if part not in WITHHELD]
            self.fail(
                node, path, f"{name!r} is no {kind}.{did_you_mean(name, known)} Known: {_list(known)}.", WrongKindError
            )
        here = _at(path, name)
        if kind != "Feature":
            return self.fields(parts[name], inside, here, {}, {})
        return tuple(self.fields(parts[name], one, here, {}, {}) for one in _each_window(inside))

    def _scalar(self, node: yaml.Node, path: str, read: Callable[[str], T], *, plain_only: bool = False) -> T:
        if not isinstance(node, yaml.ScalarNode):
            self.fail(node, path, "needs a single value.", WrongKindError)
        try:
            if plain_only and node.style:
                _no("written without quotes")
            return read(node.value)
        except ValueError as error:
            self.fail(node, path, f"{node.value!r} is wrong: it has to be {error}", WrongKindError)


def _each_window(node: yaml.Node) -> list[yaml.Node]:
    """The mapping once for each of its `days`."""
    if not isinstance(node, yaml.MappingNode):
        return [node]
    days = [value for key, value in node.value if key.value == "days"]
    if len(days) != 1 or not isinstance(days[0], yaml.SequenceNode):
        return [node]
    return [
        yaml.MappingNode(
            node.tag,
            [(key, one if key.value == "days" else value) for key, value in node.value],
            one.start_mark,
            node.end_mark,
        )
        for one in days[0].value
    ]


def _whole(text: str) -> int:
    return int(text.replace("_", "")) if re.fullmatch(r"[-+]?\d[\d_]*", text) else _no("a whole number")


def _number(text: str) -> float:
    """A whole number stays one, as in Python, where 1 and 1.0 are two declarations."""
    if re.fullmatch(r"[-+]?\d[\d_]*", text):
        return _whole(text)
    fits = re.fullmatch(r"[-+]?\d[\d_]*(\.\d*)?([eE][-+]?\d+)?", text)
    return float(text.replace("_", "")) if fits else _no("a number")


def _boolean(text: str) -> bool:
    return text == "true" if text in ("true", "false") else _no("true or false")


def _day(text: str) -> date:
    return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else _no("a day like 2024-12-31")


SCALARS: dict[str, Callable[[str], Any]] = {
    "int": _whole,
    "float": _number,
    "bool": _boolean,
    "str": str,
    "date": _day,
}


def _no(needed: str, text: str = "", known: tuple[str, ...] = ()) -> NoReturn:
    raise ValueError(f"{needed}.{did_you_mean(text, known)}")


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _list(known: Mapping[str, object] | list[str]) -> str:
    return ", ".join(known)
