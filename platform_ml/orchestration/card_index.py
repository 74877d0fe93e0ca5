"""The index of all models, kept beside the data: written again whenever a card is made or a model is registered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine import card_index as engine
from platform_ml.spec.errors import PlatformError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_ml.orchestration.resources import PlatformResource


def keep(resource: PlatformResource, say: Callable[[str], None]) -> str:
    """Refresh the index after something changed; a card or a version is there also where that fails."""
    try:
        return str(refresh(resource))
    except PlatformError as error:
        say(f"The index of all models is as it was before: {error}")
        return "not written"


def refresh(resource: PlatformResource, file: Path | None = None) -> Path:
    """Write the index and return where it lies; without `file`, in the data folder."""
    target = file or Path(resource.data).resolve() / engine.FOLDER / engine.PAGE
    versions, note = [], ""
    try:
        versions = resource.mlflow().registry().versions()
    except UnreachableError as error:
        note = f"{engine.NO_ANSWER} {error}"
    found = engine.entries(resource.platform().artifacts, versions)
    engine.write(target, engine.html(found, beside=target.resolve().parent, note=note))
    return target
