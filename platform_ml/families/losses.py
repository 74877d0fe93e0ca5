"""What training makes small, by the name that all families share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import DeclarationError, did_you_mean
from platform_ml.spec.task import BINARY, MULTICLASS, RANKING, REGRESSION, Task

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LOSSES: Mapping[str, Task] = {
    "log": BINARY,
    "squared": REGRESSION,
    "absolute": REGRESSION,
    "softmax": MULTICLASS,
    "ndcg": RANKING,
}
"""Log loss for a binary label; squared errors make means of numbers, absolute ones medians; softmax is the log loss of
several classes; ndcg weighs each pair of a group by what its turning would change of NDCG (LambdaMART, Burges 2010)."""
USUAL: Mapping[Task, str] = {BINARY: "log", REGRESSION: "squared", MULTICLASS: "softmax", RANKING: "ndcg"}
PLAIN = ("log", "squared", "absolute")
"""Those of labels with one prediction for each row, made from this row alone."""
NETWORKS = (*PLAIN, "softmax")


def check_loss(family: Any, known: Collection[str] = PLAIN) -> None:
    """Refuse a loss that the family does not have."""
    if family.loss is not None and family.loss not in known:
        raise DeclarationError(
            f"{type(family).__name__}: loss {family.loss!r} is not known.{did_you_mean(family.loss, known)} "
            f"Known: {', '.join(known)}."
        )


def tasks_of(loss: str | None, known: Collection[str] = PLAIN) -> tuple[Task, ...]:
    """The labels that a loss is for; without one, all that the family has a loss for."""
    return tuple(task for task, usual in USUAL.items() if usual in known) if loss is None else (LOSSES[loss],)
