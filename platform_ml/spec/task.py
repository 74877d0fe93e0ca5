"""What kind of answer is learned: it decides which metrics, families, curves and words fit."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_known
from platform_ml.spec.schema import NUMBERS, Boolean, Text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from platform_ml.spec.event_label import EventLabel
    from platform_ml.spec.label import Label
    from platform_ml.spec.schema import Type


class Task(StrEnum):
    """The kinds of labels that a model can learn."""

    BINARY = "binary"
    """True or false: predictions are probabilities, or scores to rank by."""
    REGRESSION = "regression"
    """A number: predictions are in the label's own unit."""
    MULTICLASS = "multiclass"
    """One of several texts: predictions are probabilities (n, classes), classes sorted by name."""
    RANKING = "ranking"
    """How relevant a row is among those of its group: predictions are scores to sort a group by, the greatest first."""
    CLUSTERING = "clustering"
    """Nothing: rows are grouped, and predictions are how far a row is from each cluster (n, clusters)."""

    @property
    def label(self) -> str:
        """Such a label, as a sentence calls it."""
        return LABELS[self]

    @property
    def in_classes(self) -> bool:
        """Whether there are classes, and their shares."""
        return self in (Task.BINARY, Task.MULTICLASS)


BINARY, REGRESSION, MULTICLASS, RANKING = Task.BINARY, Task.REGRESSION, Task.MULTICLASS, Task.RANKING
CLUSTERING = Task.CLUSTERING
LABELS = {
    BINARY: "a binary label",
    REGRESSION: "a label of numbers",
    MULTICLASS: "a label of several classes",
    RANKING: "a label that is ranked within groups",
    CLUSTERING: "rows without a label",
}


def task_of(where: str, kind: Type, ranked_within: str | None = None) -> Task:
    """What learning a label of this type is; `DeclarationError` where nothing here can learn it."""
    if ranked_within is not None:
        if isinstance(kind, (Boolean, *NUMBERS)):
            return RANKING
        raise DeclarationError(f"{where}: its label is {kind.sql}, but ranks need a number or a Boolean: how relevant.")
    if isinstance(kind, Boolean):
        return BINARY
    if isinstance(kind, NUMBERS):
        return REGRESSION
    if isinstance(kind, Text):
        return MULTICLASS
    raise DeclarationError(
        f"{where}: its label is {kind.sql}, which no model here learns. Make it a Boolean, a number, or a text that "
        "names a class."
    )


def check_task(where: str, part: str, fits: Collection[Task], task: Task) -> None:
    """Refuse a part that is made for other labels."""
    if task not in fits:
        raise DeclarationError(
            f"{where}: {part} is for {' or '.join(one.label for one in fits)}, but this one has {task.label}. Use one "
            "that is made for it."
        )


def check_ranked(label: Label | EventLabel, columns: Sequence[str]) -> None:
    """Refuse to rank within what is no column of the label, or by a label that cannot be ranked by."""
    if label.ranked_within is not None:
        where = f"Label {label.name!r}"
        check_known(where, "column to rank within", [label.ranked_within], columns)
        task_of(where, label.type, label.ranked_within)
