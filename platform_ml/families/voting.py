"""Several models that each have a say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.columns import EveryColumn
from platform_ml.families.members import Members, check_members, named, pack, task_in, unpacked
from platform_ml.spec.attribution import LOG_ODDS, PROBABILITY, Attributing, Attribution
from platform_ml.spec.errors import DeclarationError, StoreError
from platform_ml.spec.space import settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Family, Predictor, Rows
    from platform_ml.spec.task import Task


@dataclass(frozen=True, kw_only=True)
class Voting(EveryColumn):
    """The weighted mean of what members predict, each fitted on all training rows (soft voting: Kittler et al. 1998).

    Ranges of members are searched together, as `xgboost.max_depth`.
    """

    name: ClassVar[str] = "voting"

    members: tuple[Family, ...]
    weights: tuple[float, ...] | None = None
    """One for each member, in any unit; None: all the same."""

    def __post_init__(self) -> None:
        check_members(self, self.members)
        weights = self.weights
        if weights is None:
            return
        if len(weights) != len(self.members) or not all(math.isfinite(one) and one > 0 for one in weights):
            raise DeclarationError(
                f"Voting: weights={weights} has to be a number above 0 for each of {len(self.members)} members."
            )

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What all members learn."""
        return check_members(self, self.members)

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> Voters:
        """Fit each member; there are no reports, because each would begin at its first step again."""
        members = named(self.members)
        fitted = tuple(
            member.fit(train, validation, params=settings_of(name, params), seed=seed)
            for name, member in members.items()
        )
        weights = self.weights or (1.0,) * len(fitted)
        total = math.fsum(weights)
        return Voters(
            names=tuple(members),
            members=fitted,
            task=train.task,
            classes=train.classes,
            weights=tuple(one / total for one in weights),
        )

    def load(self, file: Path, features: Sequence[str]) -> Voters:
        """Read each member by its own family."""
        members = named(self.members)
        with unpacked(file, list(members)) as (plain, files):
            task, classes = task_in(file, plain)
            fitted = tuple(member.load(files[name], features) for name, member in members.items())
            return Voters(
                names=tuple(members), members=fitted, task=task, classes=classes, weights=_weights(file, plain, fitted)
            )


@dataclass(frozen=True, kw_only=True)
class Voters(Members):
    """Fitted members and their shares of the vote."""

    weights: tuple[float, ...]
    """They add up to 1."""

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """The weighted mean of the members' predictions."""
        return self._mean([member.predict(rows) for member in self.members])

    def save(self, folder: Path) -> Path:
        """Write `model.tar` with the native file of each member."""
        plain = {"task": str(self.task), "classes": self.classes, "weights": self.weights}
        return pack(folder / "model.tar", dict(zip(self.names, self.members, strict=True)), plain)

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """(n, features) the weighted mean of the members' SHAP values; None unless all have some in the same unit.

        Of numbers they are those of the mean exactly (SHAP values are linear in the model). Of probabilities they are
        in log odds, where the members are: those of the members, not of the mean of their probabilities.
        """
        if len({getattr(member, "unit", LOG_ODDS) for member in self.members}) > 1:
            return None
        found = [member.contributions(rows) for member in self.members]
        known = [one for one in found if one is not None]
        return self._mean(known) if len(known) == len(found) else None

    @property
    def explained_by(self) -> str | None:
        """As all members are; None where SHAP values of members do not add up to those of the mean."""
        if self.task.in_classes and any(getattr(member, "unit", LOG_ODDS) != PROBABILITY for member in self.members):
            return None
        ways = {one.explained_by if isinstance(one, Attributing) else None for one in self.members}
        return ways.pop() if len(ways) == 1 else None

    def attribution(self, rows: pa.Table) -> Attribution:
        """The weighted mean of the members': SHAP values are linear in the model."""
        found = [one.attribution(rows) for one in self.members if isinstance(one, Attributing)]
        return Attribution(
            values=self._mean([one.values for one in found]),
            base=self._mean([one.base for one in found]),
            unit=found[0].unit,
            leftover=max(one.leftover for one in found),
        )

    def onnx(self) -> bytes:
        """The members' graphs and the mean of their outputs as one graph."""
        import numpy as np

        from platform_ml.families import graphs

        members, encoding = self.graphs()

        def combine(onnx: Any, names: Sequence[str]) -> tuple[list[Any], list[Any]]:
            node, nodes, tensors = onnx.helper.make_node, [], []
            for place, (name, weight) in enumerate(zip(names, self.weights, strict=True)):
                tensors.append(onnx.numpy_helper.from_array(np.asarray(weight, np.float32), f"weight_{place}"))
                nodes.append(node("Mul", [name, f"weight_{place}"], [f"share_{place}"]))
            return [*nodes, node("Sum", [f"share_{place}" for place in range(len(names))], [graphs.OUTPUT])], tensors

        return graphs.joined(members, combine, encoding, self.task)

    def _mean(self, values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        total = self.weights[0] * values[0]
        for weight, one in zip(self.weights[1:], values[1:], strict=True):
            total += weight * one
        return total


def _weights(file: Path, plain: Mapping[str, Any], fitted: Sequence[Predictor]) -> tuple[float, ...]:
    try:
        weights = tuple(float(one) for one in plain["weights"])
    except (KeyError, ValueError, TypeError) as error:
        raise StoreError(f"{file} does not say the weights ({error!r}). Materialize the model again.") from error
    if len(weights) != len(fitted):
        raise StoreError(f"{file} does not fit together. Materialize the model again.")
    return weights
