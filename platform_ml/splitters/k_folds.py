"""Folds that are drawn: of rows, of entities, or of rows within each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from platform_ml.spec.errors import DeclarationError
from platform_ml.splitters.shares import VALUES, before_the_end, stable_hash

if TYPE_CHECKING:
    from platform_ml.spec.splitter import RowSQL

NOUNS = {"row": "Rows", "entity": "Entities", "label": "Rows within each class of the label"}


@dataclass(frozen=True, kw_only=True)
class KFolds:
    """As many parts of about the same size, drawn by hash; each fold is judged on one part and learns from the others.

    The draw is another one than that of the splitters with the same seed, so a split does not decide the fold.
    """

    number: int
    by: Literal["row", "entity", "label"] = "row"
    seed: int = 0
    by_time: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_number(type(self).__name__, self.number)
        if self.by not in NOUNS:
            raise DeclarationError(f"KFolds: by is {self.by!r}. Use 'row', 'entity' or 'label'.")

    @property
    def separates_entities(self) -> bool:
        """Whether entities are drawn."""
        return self.by == "entity"

    def sql(self, row: RowSQL, *, fold: int, gap_days: int) -> str:
        """One column: the fold's own part is for validation."""
        columns = {"row": row.key, "entity": [row.entity], "label": [row.label, *row.key]}[self.by]
        drawn = stable_hash(f"{type(self).__name__} {self.by} {self.seed}", columns)
        first, end = VALUES * fold // self.number, VALUES * (fold + 1) // self.number
        return (
            f"CASE WHEN {before_the_end(row)} THEN CASE WHEN {drawn} >= {first} AND {drawn} < {end} "
            "THEN 'validation' ELSE 'train' END END"
        )

    def says(self, gap_days: int) -> str:
        """The rule as a sentence."""
        return f"{NOUNS[self.by]} are drawn by hash (seed {self.seed}) into {self.number} parts, each held out once."


def check_number(where: str, number: int) -> None:
    """Refuse fewer than two folds."""
    if number < 2:  # noqa: PLR2004 - one part to learn from, one to be judged on
        raise DeclarationError(f"{where}: number is {number}. Use 2 folds or more.")
