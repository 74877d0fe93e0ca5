"""A network that reads the events of an entity one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.deep import Deep, chosen
from platform_ml.families.fitted_network import FittedNetwork, fit_network
from platform_ml.spec.space import Whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from platform_ml.families.limits import Limits
    from platform_ml.spec.family import Rows


@dataclass(frozen=True, kw_only=True)
class Recurrent(Deep):
    """GRU or LSTM over features that are lists, and a hidden layer over their last states and all other features.

    A list is read from its oldest element, the first one, to its newest. Lists of equal lengths in all training rows
    are read together, as those of one window are; others on their own. Nulls inside are filled with the mean and
    marked, numbers scaled, categories have a column for each level. It trains as every network does: see `Deep`.
    """

    name: ClassVar[str] = "recurrent"
    limits: ClassVar[Limits] = {**Deep.limits, "layers": (1, 5), "width": (1, 4_096), "longest": (1, 10_000)}

    cell: str = "gru"
    """ "gru" or "lstm"."""
    layers: int | Whole = 1
    """Of cells, one above the other."""
    width: int | Whole = Whole(16, 128, log=True)
    """Of a state, and of the hidden layer."""
    longest: int = 100
    """Elements of a list that are read, the newest ones."""

    def __post_init__(self) -> None:
        super().__post_init__()
        chosen(self, "cell", ("gru", "lstm"))

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> FittedNetwork:
        """Train until `early_stopping_epochs` epochs bring nothing better on `validation`; keep the best epoch."""
        return fit_network("Recurrent", params["cell"], train, validation, params=params, seed=seed, report=report)

    def load(self, file: Path, features: Sequence[str]) -> FittedNetwork:
        """Read the weights back; a safetensors file holds numbers and text, and cannot run code."""
        return FittedNetwork.load(file, features)
