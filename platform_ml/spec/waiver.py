"""What people may say about a model that numbers do not: that a gate is waived for a while, that they approve."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import EvaluationResult


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """Somebody answers for it that a gate which did not pass holds no model back, up to a day and no longer.

    It is part of the policy that a registration is bound to, and is printed on the card.
    """

    gate: str
    author: str
    reason: str
    expires: date
    """The last day (UTC) on which it holds."""

    def __post_init__(self) -> None:
        where = f"Waiver of gate {self.gate!r}"
        _check_words(where, author=self.author, reason=self.reason)
        if not isinstance(self.expires, date) or isinstance(self.expires, datetime):
            raise DeclarationError(f"{where}: expires is {self.expires!r}. Use a date, such as date(2026, 12, 31).")

    def holds(self, day: date) -> bool:
        """Whether it has not expired."""
        return day <= self.expires

    @property
    def says(self) -> str:
        """Who answers for it, until when and why."""
        return f"waived by {self.author} until {self.expires.isoformat()}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class Approval:
    """Somebody looked at these numbers of this model and says that it may be used."""

    author: str
    reason: str
    model: str
    """Digest of the model that was looked at."""
    dataset: str
    """Digest of the training dataset."""
    evaluation: str
    """Digest of the numbers."""

    def __post_init__(self) -> None:
        _check_words("Approval", author=self.author, reason=self.reason)
        for name in ("model", "dataset", "evaluation"):
            if not getattr(self, name).strip():
                raise DeclarationError(
                    f"Approval by {self.author!r}: the digest of the {name} is empty. Copy it from the card."
                )

    def differs(self, result: EvaluationResult) -> str:
        """What it was given for instead of these numbers, as words; empty when it is for them."""
        pairs = (
            ("model", self.model, result.model_digest),
            ("dataset", self.dataset, result.dataset_digest),
            ("evaluation", self.evaluation, result.digest),
        )
        return ", ".join(f"{what} {given[:12]}, not {now[:12]}" for what, given, now in pairs if given != now)


def _check_words(where: str, **words: str) -> None:
    for name, text in words.items():
        if not text.strip():
            raise DeclarationError(f"{where}: {name} is empty. Say who answers for it, and why.")
