"""The JSON schema of a project's YAML file, for editors, made from the declarations.

`python -m platform_ml.documents.schema` writes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from platform_ml.documents.parts import WITHHELD, allowed, choices, needed, plain
from platform_ml.documents.shape import Either, Named, Nothing, OneOf, Several, Shape, shape_of
from platform_ml.documents.tabular_project import DESCRIPTIONS, FILLED_IN, MAY_BE_LEFT_OUT, OWN, SECTIONS, TYPE

FILE = Path(__file__).with_name("tabular_project.schema.json")
SCALARS = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "str": {"type": "string"},
    "date": {"type": "string", "format": "date"},
}
Schema = dict[str, Any]


def schema() -> Schema:
    """Of a whole file."""
    definitions: dict[str, Schema] = {}
    attributes = _object(
        {
            **{key: SCALARS["date" if key == "demo_cutoff" else "str"] for key in OWN},
            **{key: _section(key, definitions) for key in SECTIONS},
            "gates": _of(Several((Named("Gate"),), any_number=True), definitions),
        },
        [
            *(key for key in OWN if key != "demo_cutoff"),
            *(key for key in SECTIONS if key not in MAY_BE_LEFT_OUT),
            "gates",
        ],
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A project of platform_ml",
        **_object({"type": {"const": TYPE}, "attributes": attributes}, ["type", "attributes"]),
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """As it is stored."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _section(key: str, definitions: dict[str, Schema]) -> Schema:
    known = allowed(SECTIONS[key], FILLED_IN[key])
    left_out = {"cadence"} if key == "features" else set()
    left_out |= {"name", "description"} if key in DESCRIPTIONS else {"name"}
    required = [name for name, field in known.items() if needed(field) and name not in left_out]
    properties = {name: _of(shape_of(str(field.type)), definitions) for name, field in known.items()}
    return _object({name: one for name, one in properties.items() if one is not None}, required)


def _of(shape: Shape, definitions: dict[str, Schema]) -> Schema | None:
    """What may stand there; None: only Python can declare it."""
    match shape:
        case Nothing():
            return {"type": "null"}
        case OneOf(values):
            return {"enum": list(values)}
        case Either(shapes):
            found = [one for each in shapes if (one := _of(each, definitions)) is not None]
            return {"anyOf": found} if any(one != {"type": "null"} for one in found) else None
        case Several(items):
            inner = [_of(item, definitions) for item in items]
            if None in inner:
                return None
            return {"type": "array", "items": inner[0]} if shape.any_number else {"type": "array", "prefixItems": inner}
        case Named(name):
            return SCALARS.get(name) or _declared(name, definitions)


def _declared(name: str, definitions: dict[str, Schema]) -> Schema | None:
    parts, noun = choices(name), plain(name)
    if parts is None and noun is None:
        return None
    if name not in definitions:
        definitions[name] = {}  # parts hold parts of their own kind
        definitions[name] = _fields(noun, definitions) if parts is None else _parts(name, parts, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _parts(kind: str, parts: dict[str, type[Any]], definitions: dict[str, Schema]) -> Schema:
    known = {name: part for name, part in parts.items() if name not in WITHHELD}
    plain_names = [name for name, part in known.items() if not any(map(needed, allowed(part).values()))]
    choices_of = [{"enum": plain_names}] if plain_names else []
    for name, part in known.items():
        inside = _fields(part, definitions)
        if kind == "Feature" and "days" in inside["properties"]:
            inside["properties"]["days"] = {"anyOf": [SCALARS["int"], {"type": "array", "items": SCALARS["int"]}]}
        choices_of.append(_object({name: inside}, [name]))
    return {"anyOf": choices_of}


def _fields(declaration: type[Any] | None, definitions: dict[str, Schema]) -> Schema:
    known = allowed(declaration) if declaration else {}
    properties = {name: _of(shape_of(str(field.type)), definitions) for name, field in known.items()}
    required = [name for name, field in known.items() if needed(field)]
    return _object({name: one for name, one in properties.items() if one is not None}, required)


def _object(properties: dict[str, Schema | None], required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
