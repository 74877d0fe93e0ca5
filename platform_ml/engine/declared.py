"""What every asset is declared to be, apart from what it reads: by today's code, and as a script by that of then."""

from __future__ import annotations

from typing import Any

from platform_ml.spec.fingerprint import SEMANTICS, meaning
from platform_ml.spec.project import upstream


def declared(projects: Any) -> dict[str, dict[str, Any]]:
    """Asset → what it means by itself, and the assets that it reads; what people read is left out."""
    found: dict[str, dict[str, Any]] = {}
    for project in projects:
        names = {(type(noun).__name__, noun.name) for noun in project.nouns}
        registrations = {noun.card.name: noun for noun in project.nouns if type(noun).__name__ == "Registration"}
        for noun in project.nouns:
            means = [_alone(meaning(noun), names, top=True)]
            if noun.name in registrations:  # the checks of a card are the gates of its registration
                means.append(_alone(meaning(registrations[noun.name]), names, top=True))
            found[f"{project.name}/{noun.name}"] = {
                "means": [SEMANTICS, *means],
                "reads": sorted(f"{project.name}/{one.name}" for one in upstream(noun)),
            }
    return found


def _alone(value: Any, names: set[tuple[str, str]], *, top: bool = False) -> Any:
    """A meaning in which every other asset is only named."""
    if isinstance(value, dict):
        if not top and (value.get("is"), value.get("name")) in names:
            return {"asset": value["name"]}
        return {name: _alone(item, names) for name, item in value.items()}
    return [_alone(item, names) for item in value] if isinstance(value, list) else value
