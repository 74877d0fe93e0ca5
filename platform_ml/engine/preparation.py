"""Preparations fitted on the training rows, stored with the model, and done to all rows that it predicts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from platform_ml.spec.attribution import explained_by, interactions
from platform_ml.spec.errors import NotPortable, StoreError
from platform_ml.spec.family import Categorical, Portable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.attribution import Attribution
    from platform_ml.spec.family import Predictor
    from platform_ml.spec.preparation import Preparation, State

FILE = "preparation.json"


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Preparations in their order, and what each learned."""

    steps: tuple[Preparation, ...]
    states: tuple[State, ...]

    @classmethod
    def of(cls, steps: Sequence[Preparation], train: pa.Table, helpers: pa.Table) -> Self:
        """Fit each on the training rows as those before it leave them, with the helper columns that it asks for."""
        states = []
        for step in steps:
            beside = train
            for name in step.helpers:
                beside = beside.append_column(name, helpers[name])
            states.append(step.fit(beside))
            train = step.apply(train, states[-1])
        return cls(steps=tuple(steps), states=tuple(states))

    def apply(self, rows: pa.Table) -> pa.Table:
        """The rows as the family sees them."""
        for step, state in zip(self.steps, self.states, strict=True):
            rows = step.apply(rows, state)
        return rows

    def save(self, folder: Path) -> Path:
        """Write `preparation.json`."""
        file = folder / FILE
        plain = [
            {"is": step.name, "of": step.of, "rule": step.rule, "state": state}
            for step, state in zip(self.steps, self.states, strict=True)
        ]
        file.write_text(json.dumps(plain, indent=1, sort_keys=True, allow_nan=False), encoding="utf-8")
        return file

    @classmethod
    def load(cls, steps: Sequence[Preparation], file: Path) -> Self:
        """Read back what `save` wrote; it has to be of these preparations."""
        try:
            plain = json.loads(file.read_text(encoding="utf-8"))
            declared = [(step.name, list(step.of), step.rule) for step in steps]
            stored = [(one["is"], one["of"], one["rule"]) for one in plain]
            states = tuple(one["state"] for one in plain)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} holds no preparations ({error!r}). Materialize the model again.") from error
        if declared != stored:
            raise StoreError(f"{file} is of other preparations than are declared now. Materialize the model again.")
        return cls(steps=tuple(steps), states=states)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A fitted model behind its preparations: it takes rows as they are in the dataset."""

    fitted: Fitted
    predictor: Predictor

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """Of the prepared rows."""
        return self.predictor.predict(self.fitted.apply(rows))

    def save(self, folder: Path) -> Path:
        """Write the model, and `preparation.json` beside it; return the model's file."""
        self.fitted.save(folder)
        return self.predictor.save(folder)

    def coordinates(self, rows: pa.Table) -> NDArray[np.float64]:
        """As the model itself says, where it groups rows."""
        predictor: Any = self.predictor
        found: NDArray[np.float64] = predictor.coordinates(self.fitted.apply(rows))
        return found

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """Of the features, which keep their names and places."""
        return self.predictor.contributions(self.fitted.apply(rows))

    def unseen(self, rows: pa.Table) -> Mapping[str, int]:
        """Of the categories that are left."""
        return self.predictor.unseen(self.fitted.apply(rows)) if isinstance(self.predictor, Categorical) else {}

    def onnx(self) -> bytes:
        """The graph of the model itself, from prepared and encoded rows on."""
        return self._portable.onnx()

    def inputs(self, rows: pa.Table) -> NDArray[np.float32]:
        """What the graph is fed with: prepared and encoded rows."""
        return self._portable.inputs(self.fitted.apply(rows))

    @property
    def explained_by(self) -> str | None:
        """As the model itself says."""
        return explained_by(self.predictor)

    def attribution(self, rows: pa.Table) -> Attribution:
        """Of the features, which keep their names and places."""
        predictor: Any = self.predictor
        found: Attribution = predictor.attribution(self.fitted.apply(rows))
        return found

    def interactions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """Of the features, too."""
        return interactions(self.predictor, self.fitted.apply(rows))

    @property
    def training_profile(self) -> Mapping[str, float]:
        """As the model itself says."""
        found: Mapping[str, float] = getattr(self.predictor, "training_profile", {})
        return found

    @property
    def _portable(self) -> Portable:
        predictor: Any = self.predictor
        if not isinstance(predictor, Portable):
            raise NotPortable("This family has no ONNX graph")
        return predictor
