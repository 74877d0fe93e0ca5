"""What kind of answer is learned: it decides which metrics, families, curves and words fit."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import NUMBERS, Boolean

if TYPE_CHECKING:
    from collections.abc import Collection

    from platform_ml.spec.schema import Type


class Task(StrEnum):
    """The kinds of labels that a model can learn."""

    BINARY = "binary"
    """True or false: predictions are probabilities, or scores to rank by."""
    REGRESSION = "regression"
    """A number: predictions are in the label's own unit."""

    @property
    def label(self) -> str:
        """Such a label, as a sentence calls it."""
        return "a binary label" if self is Task.BINARY else "a label of numbers"


BINARY, REGRESSION = Task.BINARY, Task.REGRESSION


def task_of(where: str, kind: Type) -> Task:
    """What learning a label of this type is; `DeclarationError` where nothing here can learn it."""
    if isinstance(kind, Boolean):
        return BINARY
    if isinstance(kind, NUMBERS):
        return REGRESSION
    raise DeclarationError(
        f"{where}: its label is {kind.sql}, which no model here learns. Make it a Boolean, or a number."
    )


def check_task(where: str, part: str, fits: Collection[Task], task: Task) -> None:
    """Refuse a part that is made for other labels."""
    if task not in fits:
        raise DeclarationError(
            f"{where}: {part} is for {' or '.join(one.label for one in fits)}, but this one has {task.label}. Use one "
            "that is made for it."
        )
