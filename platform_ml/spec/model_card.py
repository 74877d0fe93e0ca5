"""What a reader has to know before a model is used; the words come from its owner, the numbers from the evaluation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import PROSE
from platform_ml.spec.naming import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.energy import Energy
    from platform_ml.spec.evaluation import Evaluation

REQUIRED = ("title", "intended_use", "out_of_scope", "data", "limits", "ethics")
"""Words without which there is no card, and no registration."""
OPTIONAL = ("users", "factors", "citation", "contact", "license")
PLACEHOLDERS = r"todo|tbd|fixme|xxx|n/?a|none|more information needed|lorem ipsum.*"
UNWRITTEN = re.compile(rf"\W*(?:{PLACEHOLDERS})?\W*", re.IGNORECASE | re.DOTALL)
"""What stands where words are still to be written."""


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
    users: str = field(default="", metadata=PROSE)
    """Who is meant to use it."""
    factors: str = field(default="", metadata=PROSE)
    """Which groups and circumstances its quality may depend on, and why the slices are those that they are."""
    citation: str = field(default="", metadata=PROSE)
    contact: str = field(default="", metadata=PROSE)
    """Where questions go; empty: to the project's owner."""
    energy: Energy | None = field(default=None, metadata=PROSE)
    """Where it is trained; None: its energy is not estimated."""

    def __post_init__(self) -> None:
        check_name("Model card", self.name)
        where = f"Model card {self.name!r}"
        for name in unwritten({name: getattr(self, name) for name in REQUIRED}):
            raise DeclarationError(f"{where}: {name} is empty. Its owner has to write it.")
        for name in OPTIONAL:
            if getattr(self, name) and unwritten({name: getattr(self, name)}):
                raise DeclarationError(f"{where}: {name} is {getattr(self, name)!r}. Write it, or leave it out.")
        model = self.evaluation.model
        for noun in (model, model.dataset, model.dataset.view.label):
            for _ in unwritten({"description": noun.description}):
                raise DeclarationError(f"{where}: {noun.name!r} has no description. The card prints it: write it.")


def unwritten(words: Mapping[str, str]) -> list[str]:
    """The names of texts that say nothing: blank, without a letter, or a placeholder.

    >>> unwritten({"limits": "One year.", "ethics": " -", "data": "[More Information Needed]", "title": "TODO"})
    ['ethics', 'data', 'title']
    """
    return [name for name, text in words.items() if UNWRITTEN.fullmatch(text)]
