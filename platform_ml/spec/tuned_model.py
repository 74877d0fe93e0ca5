"""A model whose hyper-parameters were searched on validation rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import ADDED, PROSE
from platform_ml.spec.naming import check_known, check_name, check_unique
from platform_ml.spec.space import ranges
from platform_ml.spec.task import BINARY, check_task

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.metric import Goal, Metric
    from platform_ml.spec.preparation import Preparation
    from platform_ml.spec.task import Task
    from platform_ml.spec.training_dataset import TrainingDataset


class Predictor(Protocol):
    """A fitted model."""

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """One number per row: for a binary label the probability (or score) of true, else in its unit."""
        ...

    def save(self, folder: Path) -> Path:
        """Write the model in its native format, which cannot run code, and return the file."""
        ...

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """SHAP values (rows, features), or None where the family has none."""
        ...


@runtime_checkable
class Portable(Protocol):
    """A fitted model that can also be written as an ONNX graph."""

    def onnx(self) -> bytes:
        """One input `features` (n, features) float32, one output `prediction` (n,); `NotPortable` says why not."""
        ...

    def inputs(self, rows: pa.Table) -> NDArray[np.float32]:
        """What the graph is fed with for these rows."""
        ...


@runtime_checkable
class Categorical(Protocol):
    """A fitted model that takes categories, and predicts those it never saw as if they were missing."""

    def unseen(self, rows: pa.Table) -> Mapping[str, int]:
        """Feature → rows with a category that training never saw; only where there are some."""
        ...


class Family(Protocol):
    """A kind of model; every field of a member is a hyper-parameter: a value or a range."""

    name: ClassVar[str]

    @property
    def tasks(self) -> Collection[Task]:
        """The labels that it can learn."""
        ...

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> Predictor:
        """Learn from `train`, stop early on `validation`; the same arguments give the same model, byte for byte.

        `report(step, score)`, the greater the better, may raise to stop a poor trial.
        """
        ...

    def load(self, file: Path, features: Sequence[str]) -> Predictor:
        """Read back what `save` wrote."""
        ...

    def columns(self) -> tuple[str, ...] | None:
        """The features it uses; None: all."""
        ...


class Rows(Protocol):
    """Rows of one split, built once and used by every trial."""

    @property
    def features(self) -> pa.Table:
        """What a model sees."""
        ...

    @property
    def label(self) -> NDArray[np.float64]:
        """(n,); a binary label is 0.0 or 1.0."""
        ...

    @property
    def task(self) -> Task:
        """What learning this label is."""
        ...

    @property
    def weight(self) -> NDArray[np.float64] | None:
        """(n,) how much each row counts in training; None: all the same."""
        ...

    @property
    def cache(self) -> dict[str, Any]:
        """Where a family keeps its own data matrix, so that it is built once per study."""
        ...


class Tuner(Protocol):
    """A way to search the ranges of a family."""

    @property
    def trials(self) -> int:
        """How many fits are tried."""
        ...

    def search(self, objective: Callable[[Trial], float], *, name: str, goal: Goal, seed: int) -> Search:
        """Run the trials; deterministic for a seed."""
        ...


class Trial(Protocol):
    """One fit of a search."""

    @property
    def number(self) -> int:
        """Counts from 0."""
        ...

    def params(self, family: Family) -> dict[str, Any]:
        """The family's fields with a value drawn from each range."""
        ...

    def report(self, step: int, score: float) -> None:
        """Tell an intermediate score, the greater the better; raises to stop a trial that is not worth finishing."""
        ...


@dataclass(frozen=True, kw_only=True)
class TriedParams:
    """What became of one trial."""

    number: int
    params: Mapping[str, Any]
    score: float | None
    """None when the trial was stopped before its end."""
    steps: tuple[float, ...]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Search:
    """All trials and the best of them."""

    trials: tuple[TriedParams, ...]
    best: TriedParams


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A simple rival that the model has to beat."""

    name: str
    family: Family


@dataclass(frozen=True, kw_only=True)
class TunedModel:
    """A family searched by a tuner on the validation rows of a dataset; the test rows are never touched."""

    name: str
    description: str = field(metadata=PROSE)
    dataset: TrainingDataset
    family: Family
    tuner: Tuner
    metric: Metric
    """What the search improves on the validation rows."""
    baselines: tuple[Baseline, ...]
    seed: int = 0
    preparations: tuple[Preparation, ...] = field(default=(), metadata=ADDED)
    """What is done to the features before the family sees them; baselines see them as they are."""
    positive_weight: float | Literal["balanced"] | None = field(default=None, metadata=ADDED)
    """How much a training row with label 1 counts, beside 1 for a 0; "balanced": as much in all as the zeros.

    Probabilities then speak of such a mixture, not of the one that will be met: rank by them.
    """

    def __post_init__(self) -> None:
        check_name("Model", self.name)
        where = f"Model {self.name!r}"
        check_unique(where, "baseline", [baseline.name for baseline in self.baselines])
        check_task(where, f"metric {self.metric.name!r}", [self.metric.task], self.task)
        check_task(where, f"family {self.family.name!r}", self.family.tasks, self.task)
        known = self.dataset.view.feature_names
        for preparation in self.preparations:
            check_known(f"Feature view {self.dataset.view.name!r}", "feature", preparation.of, known)
        self._check_weight(where)
        if not self.baselines:
            raise DeclarationError(f"{where} has no baseline: say what a naive prediction would be.")
        for baseline in self.baselines:
            check_name("Baseline", baseline.name)
            check_task(where, f"baseline {baseline.name!r}", baseline.family.tasks, self.task)
            if searched := ranges(baseline.family):
                raise DeclarationError(
                    f"{where}: baseline {baseline.name!r} has a range for {next(iter(searched))!r}, but nothing "
                    "searches a baseline. Use plain values."
                )
            known = self.dataset.view.feature_names
            check_known(f"Feature view {self.dataset.view.name!r}", "feature", baseline.family.columns() or (), known)

    def _check_weight(self, where: str) -> None:
        weight = self.positive_weight
        if weight is not None and self.task is not BINARY:
            raise DeclarationError(f"{where}: positive_weight is for a binary label. Drop it.")
        fits = weight == "balanced" if isinstance(weight, str) else weight is None or 0 < weight < math.inf
        if not fits:
            raise DeclarationError(f"{where}: positive_weight={weight!r} has to be a number above 0, or 'balanced'.")

    @property
    def task(self) -> Task:
        """What learning its label is."""
        return self.dataset.view.label.task
