"""Libraries that come with an extra."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHERS: list[Callable[[str], None]] = []
"""Told the name of each module that is handed out."""


def library(module: str, *, extra: str, user: str) -> Any:
    """The module, imported; `PlatformError` with the line that installs it when it is not there."""
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        raise PlatformError(
            f"{user} needs {module}, which is not installed. Run: pip install 'platform_ml[{extra}]'"
        ) from error
    for watch in WATCHERS:
        watch(module)
    return found
