"""What a reader has to know before a model is used; the words come from its owner, the numbers from the evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import PROSE
from platform_ml.spec.naming import check_name

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """The owner's words around an evaluation (after Mitchell et al. 2019, Model Cards for Model Reporting)."""

    name: str
    evaluation: Evaluation
    title: str = field(metadata=PROSE)
    intended_use: str = field(metadata=PROSE)
    out_of_scope: str = field(metadata=PROSE)
    data: str = field(metadata=PROSE)
    """Where the data comes from and what is known to be wrong with it."""
    limits: str = field(metadata=PROSE)
    ethics: str = field(metadata=PROSE)
    license: str = field(default="", metadata=PROSE)

    def __post_init__(self) -> None:
        check_name("Model card", self.name)
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name != "license" and isinstance(value, str) and not value.strip():
                raise DeclarationError(f"Model card {self.name!r}: {item.name} is empty. Its owner has to write it.")
