"""What training makes small, by the name that all families share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import DeclarationError, did_you_mean
from platform_ml.spec.task import BINARY, REGRESSION, Task

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LOSSES: Mapping[str, Task] = {"log": BINARY, "squared": REGRESSION, "absolute": REGRESSION}
"""Log loss for a binary label; squared errors make means of numbers, absolute ones medians."""
USUAL: Mapping[Task, str] = {BINARY: "log", REGRESSION: "squared"}


def check_loss(family: Any, known: Collection[str] = tuple(LOSSES)) -> None:
    """Refuse a loss that the family does not have."""
    if family.loss is not None and family.loss not in known:
        raise DeclarationError(
            f"{type(family).__name__}: loss {family.loss!r} is not known.{did_you_mean(family.loss, known)} "
            f"Known: {', '.join(known)}."
        )


def tasks_of(loss: str | None) -> tuple[Task, ...]:
    """The labels that a loss is for; without one, all of them."""
    return tuple(USUAL) if loss is None else (LOSSES[loss],)
