"""What is done to features before a family sees them: learned from training rows, done alike to all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

State = dict[str, Any]
"""What a preparation learned, as plain JSON: it is stored with the model."""


class Preparation(Protocol):
    """Changes the values of some features; how many there are, their names and their order stay.

    So importances, slices and cards go on speaking of the features that were declared.
    """

    name: ClassVar[str]

    @property
    def of(self) -> tuple[str, ...]:
        """The features that it changes."""
        ...

    @property
    def helpers(self) -> tuple[str, ...]:
        """Helper columns of the view that it learns from beside the features; they are not there to predict."""
        ...

    @property
    def rule(self) -> str:
        """What it does, as a sentence for the card."""
        ...

    def fit(self, train: pa.Table) -> State:
        """What the training rows and their helpers say; `RowsError` names a feature that does not fit."""
        ...

    def apply(self, rows: pa.Table, state: Mapping[str, Any]) -> pa.Table:
        """The rows, prepared: each by itself, so that one row alone comes out as it does among others."""
        ...
