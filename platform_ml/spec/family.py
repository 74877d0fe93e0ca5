"""What a kind of model promises: how it learns, predicts and is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.task import Task


class Predictor(Protocol):
    """A fitted model."""

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """One number per row: the probability (or score) of true, a number in the label's unit, a score to rank by.

        Of several classes (n, classes): their probabilities, in the order of `Rows.classes`.
        """
        ...

    def save(self, folder: Path) -> Path:
        """Write the model in its native format, which cannot run code, and return the file."""
        ...

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """SHAP values (rows, features), or None where the family has none; of several classes their mean sizes."""
        ...


@runtime_checkable
class Portable(Protocol):
    """A fitted model that can also be written as an ONNX graph."""

    def onnx(self) -> bytes:
        """One input `features` (n, features) float32, one output `prediction` as of `predict`; or `NotPortable`."""
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
    """A kind of model; every field of a member is a hyper-parameter: a value or a range.

    A member says how simple it is in a class variable `complexity`, see `spec/complexity.py`. One that stops early on
    validation rows calls the limit of its steps `max_rounds` or `max_epochs`, and reports once a step.
    """

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
        """(n,); a binary label is 0.0 or 1.0, a class its place in `classes`, a relevance 0.0 or more."""
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
    def entity(self) -> NDArray[np.int64]:
        """(n,) a number per entity: rows of one entity depend on each other."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Of several classes their names, as the training rows have them, sorted; else none."""
        ...

    @property
    def group(self) -> NDArray[np.int64] | None:
        """(n,) of a ranking: a number per group, in the order of the groups' names; else None."""
        ...

    @property
    def cache(self) -> dict[str, Any]:
        """Where a family keeps its own data matrix, so that it is built once per study."""
        ...
