"""`platform-ml card` and `cards`: the card of one model, and the index of all."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine import card_artifact as cards
from platform_ml.engine.model_reference import resolve_model
from platform_ml.orchestration.card_index import refresh
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.errors import MissingInputError, PlatformError, StoreError
from platform_ml.spec.registration import Registration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.model_reference import ModelReference
    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.project import Project


def show(text: str, projects: Sequence[Project], *, page: str | None, data: bool, markdown: bool, browse: bool) -> int:
    """Print the card of `NAME@VERSION`, as `resolve_model` reads it; or write its page, or open that."""
    resource = PlatformResource()
    platform = resource.platform()
    found = resolve_model(text, projects, platform.artifacts, lambda: resource.mlflow().registry().versions())
    card = _card(found, resource)
    if browse:
        return _open(card.folder / cards.PAGE)
    if page not in {None, "-"}:
        return _write(Path(page or ""), (card.folder / cards.PAGE).read_text(encoding="utf-8"))
    name = cards.CARD if data else cards.PAGE if page else cards.TEXT
    said = (card.folder / name).read_text(encoding="utf-8")
    if data or page or markdown or not sys.stdout.isatty():
        print(said, end="")
    else:
        _print(said)
    return 0


def index(to: str | None, *, browse: bool) -> int:
    """Write the index of all models."""
    file = refresh(PlatformResource(), Path(to) if to else None)
    print(file)
    return _open(file) if browse else 0


def _card(found: ModelReference, resource: PlatformResource) -> Artifact:
    """The newest card of a model; checked against its checksums."""
    artifacts = resource.platform().artifacts
    declared = [one for one in found.project.all(Registration) if one.card.evaluation.model.name == found.model.name]
    wanted = found.registered.partition("@")[0]
    kept = [
        artifact
        for one in declared
        if wanted in ("", one.name)
        for artifact in artifacts.versions(f"{cards.KIND}/{found.project.name}/{one.card.name}")
        if artifact.record["model"] == found.artifact.digest
    ]
    if not kept:
        names = " or ".join(f"{found.project.name}/{one.card.name}" for one in declared) or "of a registration"
        raise MissingInputError(f"{found} has no card. Materialize the card {names} for cutoff {found.cutoff}.")
    for wrong in kept[-1].damage():
        raise StoreError(f"{wrong}. Materialize the card again.")
    return kept[-1]


def _write(file: Path, text: str) -> int:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PlatformError(
            f"{file} cannot be written: {error.strerror}. Name a file in a folder that is there."
        ) from error
    print(f"{file}: {len(text.encode()):,} bytes")
    return 0


def _open(file: Path) -> int:
    print(file)
    if not webbrowser.open(file.resolve().as_uri()):
        raise PlatformError(f"There is no browser here. Open {file} in one.")
    return 0


def _print(text: str) -> None:
    """For people: without the block that only model hubs read."""
    from rich.console import Console
    from rich.markdown import Markdown

    Console(highlight=False).print(Markdown(text.partition("\n---\n")[2]))
