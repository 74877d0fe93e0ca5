"""A network that looks for patterns among neighbours: in sequences, or in images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.deep import Deep
from platform_ml.families.fitted_network import FittedNetwork, fit_network
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.space import Whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from platform_ml.families.limits import Limits
    from platform_ml.spec.family import Rows


@dataclass(frozen=True, kw_only=True)
class Convolutional(Deep):
    """Filters over features that are lists, and a hidden layer over what they found and all other features.

    Lists are sequences, oldest element first, and are read as `Recurrent` reads them; or, with `image`, each is an
    image of its own. It trains as every network does: see `Deep`.
    """

    name: ClassVar[str] = "convolutional"
    limits: ClassVar[Limits] = {
        **Deep.limits,
        "layers": (1, 10),
        "width": (1, 4_096),
        "kernel": (1, 31),
        "longest": (1, 10_000),
    }

    image: tuple[int, int, int] | None = None
    """Height, width and channels of every list: its pixels row by row, channels last. None: lists are sequences."""
    layers: int | Whole = Whole(1, 3)
    """Of filters; in an image each but the last halves height and width."""
    width: int | Whole = Whole(8, 64, log=True)
    """Filters of a layer, and width of the hidden layer."""
    kernel: int = 3
    """Neighbours that a filter sees, along each axis; odd."""
    longest: int = 100
    """Elements of a sequence that are read, the newest ones."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel % 2 == 0:
            raise DeclarationError(f"Convolutional: kernel={self.kernel} has no middle. Use an odd number.")
        if self.image is not None and not (math.prod(self.image) > 0 < min(self.image)):
            raise DeclarationError(f"Convolutional: image={self.image} holds no pixel. Say (height, width, channels).")

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
        return fit_network("Convolutional", "convolution", train, validation, params=params, seed=seed, report=report)

    def load(self, file: Path, features: Sequence[str]) -> FittedNetwork:
        """Read the weights back; a safetensors file holds numbers and text, and cannot run code."""
        return FittedNetwork.load(file, features)
