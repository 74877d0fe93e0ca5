"""The features that were chosen, with the reasons, and models that see no others."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from platform_ml.families import narrowed
from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from platform_ml.spec.feature_selection import FeatureSelection

FILE = "selection.json"


@dataclass(frozen=True, kw_only=True)
class Pick:
    """What became of one feature."""

    feature: str
    score: float
    kept: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """All features of a dataset, the best one first, and which of them models see."""

    selection: str
    """The name of the declaration."""
    method: str
    """What ranked them in the end."""
    rule: str
    picks: tuple[Pick, ...]
    kept: tuple[str, ...]
    """In the order of the view."""
    notes: tuple[str, ...] = ()
    asked: tuple[Mapping[str, Any], ...] = ()
    """What a language model was asked and answered, word for word."""

    @property
    def dropped(self) -> dict[str, str]:
        """Feature → why no model sees it."""
        return {pick.feature: pick.reason for pick in self.picks if not pick.kept}

    def to_json(self) -> str:
        """The same text for the same choice."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, allow_nan=False)

    def save(self, folder: Path) -> Path:
        """Write `selection.json`."""
        file = folder / FILE
        file.write_text(self.to_json(), encoding="utf-8")
        return file

    @classmethod
    def load(cls, selection: FeatureSelection, file: Path) -> Self:
        """Read back what `save` wrote; it has to be of this selection and of the features of its dataset."""
        try:
            plain: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            picks = tuple(Pick(**pick) for pick in plain.pop("picks"))
            lists: dict[str, Any] = {name: tuple(plain.pop(name)) for name in ("kept", "notes", "asked")}
            made = cls(picks=picks, **lists, **plain)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} holds no chosen features ({error!r}). Materialize the model again.") from error
        known = selection.dataset.view.feature_names
        if made.selection != selection.name or {pick.feature for pick in made.picks} != set(known):
            raise StoreError(f"{file} is of another selection than is declared now. Materialize the model again.")
        return made


@dataclass(frozen=True, kw_only=True)
class Narrowed(narrowed.Narrowed):
    """A fitted model that sees only some of the features, and knows who chose them."""

    chosen: Chosen | None = None
    """Why these; None: another part of the model says so."""

    def save(self, folder: Path) -> Path:
        """Write the model, and `selection.json` beside it; return the model's file."""
        if self.chosen is not None:
            self.chosen.save(folder)
        return super().save(folder)
