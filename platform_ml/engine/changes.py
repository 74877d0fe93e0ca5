"""Which assets two sets of declarations tell apart: those that are declared otherwise, and all that is made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine.declaration_diff import declaration_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Declared = Mapping[str, Mapping[str, Any]]
    """Asset → "means" and "reads"."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a commit did to the asset graph."""

    changed: Mapping[str, tuple[str, ...]]
    """Asset → what it means otherwise by itself, as sentences."""
    added: tuple[str, ...]
    removed: tuple[str, ...]
    downstream: tuple[str, ...]
    """What is made of those that changed or are new, and is not among them: it is recomputed, too."""

    @property
    def selection(self) -> str:
        """Dagster's selection of all that is recomputed; empty where nothing is."""
        return " or ".join(f'key:"{asset}"+' for asset in sorted({*self.changed, *self.added}))

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        named = {name: list(getattr(self, name)) for name in ("added", "removed", "downstream")}
        return {"changed": {one: list(why) for one, why in self.changed.items()}, **named, "selection": self.selection}


def compare(then: Declared, now: Declared) -> Changes:
    """The assets that are not what they were."""
    changed = {
        asset: tuple(one.lstrip(": ") for one in declaration_changes(then[asset]["means"], now[asset]["means"]))
        for asset in sorted(now)
        if asset in then and now[asset] != then[asset]
    }
    added = tuple(sorted(set(now) - set(then)))
    own = {*changed, *added}
    return Changes(
        changed=changed,
        added=added,
        removed=tuple(sorted(set(then) - set(now))),
        downstream=tuple(sorted(below(own, now) - own)),
    )


def below(assets: Iterable[str], declared: Declared) -> set[str]:
    """These assets and everything that is made of them."""
    found, todo = set[str](), list(assets)
    while todo:
        asset = todo.pop()
        if asset not in found:
            found.add(asset)
            todo += [other for other, one in declared.items() if asset in one["reads"]]
    return found
