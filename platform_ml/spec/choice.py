"""Families that compete for one model, and the rule by which one of them becomes it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from platform_ml.spec.complexity import Complexity, complexity_of
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_name, check_unique
from platform_ml.spec.task import check_task

if TYPE_CHECKING:
    from platform_ml.spec.family import Family
    from platform_ml.spec.tuned_model import TunedModel
    from platform_ml.spec.tuner import Tuner

LEADER_BOARD = "_leader_board"
"""What the name of a model's leader board ends with."""


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A family that competes with the model's own on equal terms: same rows, same preparations, same seed."""

    family: Family
    name: str = ""
    """What the leader board calls it; empty: the name of its family."""
    tuner: Tuner | None = None
    """None: the tuner of the model, so that each family has the same budget."""

    @property
    def title(self) -> str:
        """What the leader board calls it."""
        return self.name or self.family.name


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The simplest family within the limits that no other one is found better than, on validation rows or folds.

    Of equally simple ones the better score wins, then the order in which they are declared. Test rows are not seen.
    """

    latency_ms: float | None = None
    """The greatest p99 of predicting one row, in the training process. A limit alone: what is within it is equal."""
    size_bytes: int | None = None
    """The most that the saved files may have, preparations included."""
    complexity: Complexity | None = None
    """The least simple kind of model that may be chosen; others are not searched."""
    test: Literal["rows", "folds"] = "rows"
    """What one is found better by: a paired bootstrap of the entities of the validation rows, or the corrected
    resampled t-test over the model's folds (Nadeau and Bengio 2003)."""
    resamples: int = 1_000
    """Of the bootstrap."""

    def __post_init__(self) -> None:
        for name in ("latency_ms", "size_bytes"):
            limit = getattr(self, name)
            if limit is not None and not 0 < limit < math.inf:
                raise DeclarationError(f"Choice: {name}={limit!r} lets no model through. Use a number above 0.")
        if self.test not in ("rows", "folds"):
            raise DeclarationError(f"Choice: test is {self.test!r}. Use 'rows' or 'folds'.")
        if self.resamples < 100:  # noqa: PLR2004 - fewer have no 95 % interval to speak of
            raise DeclarationError(f"Choice: resamples={self.resamples} are too few for an interval. Use 100 or more.")

    @property
    def says(self) -> str:
        """The rule as a sentence."""
        most = [
            *([f"at most {self.latency_ms:g} ms at p99 for one row"] if self.latency_ms is not None else []),
            *([f"at most {self.size_bytes:,} bytes"] if self.size_bytes is not None else []),
            *([f"no less simple than {self.complexity.title}"] if self.complexity is not None else []),
        ]
        within = f" within the limits ({', '.join(most)})" if most else ""
        return f"The simplest family{within} that no other one is found better than."


def check_choice(model: TunedModel) -> None:
    """Refuse rivals that cannot compete, limits that leave nobody, and folds that are none."""
    where = f"Model {model.name!r}"
    for rival in model.rivals:
        if not isinstance(rival, Rival):
            raise DeclarationError(
                f"{where}: rival {type(rival).__name__} is a family alone. Use Rival(family={type(rival).__name__}())."
            )
        check_task(where, f"rival {rival.title!r}", rival.family.tasks, model.task)
    check_unique(where, "competing family", [one.title for one in competitors(model)])
    if model.rivals:
        check_name("Leader board", model.name + LEADER_BOARD)
        for rival in model.rivals:
            check_name("Rival", f"{model.name}_{rival.title}")
        most = model.choice.complexity
        if most is not None and all(complexity_of(one.family) > most for one in competitors(model)):
            raise DeclarationError(f"{where}: none of its families is as simple as {most.title}. Add a rival that is.")
    elif model.choice != Choice():
        raise DeclarationError(f"{where} has a choice, but no rivals to choose from. Add some, or drop it.")
    if model.folds is not None:
        model.dataset.splitter.folds(model.folds)  # refuses too few
    elif model.choice.test == "folds":
        raise DeclarationError(f"{where} chooses by folds, but has none. Use folds=5.")


def competitors(model: TunedModel) -> tuple[Rival, ...]:
    """The model's own family and its rivals, in the order of declaration."""
    return Rival(family=model.family), *model.rivals
