"""A rule that a model has to pass, judged on the numbers of its evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult


class Outcome(StrEnum):
    """What a gate says."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_ENOUGH_EVIDENCE = "not enough evidence"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A gate's answer, with the numbers behind it."""

    gate: str
    outcome: Outcome
    reason: str
    """One sentence: value, limit, interval and support."""
    advice: str = ""
    """What to do about it."""

    @property
    def passed(self) -> bool:
        """Whether the model may go on: only a pass does."""
        return self.outcome is Outcome.PASSED


class Gate(Protocol):
    """A rule with a name; every verdict fails closed when a number is not defined."""

    @property
    def name(self) -> str:
        """lower_snake_case, unique within a registration: also the name of the asset check."""
        ...

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        ...

    def check(self, evaluation: Evaluation) -> None:
        """Raise `DeclarationError` when the evaluation will not have the numbers that the gate needs."""
        ...

    def judge(self, result: EvaluationResult) -> Verdict:
        """The verdict on these numbers."""
        ...
