"""A gate that only advises."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult
    from platform_ml.spec.gate import Gate, Verdict


@dataclass(frozen=True)
class Advisory:
    """Another gate, whose verdict is shown and stops nothing: its check warns and does not block."""

    gate: Gate

    advisory: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """That of the gate inside: with or without stopping, it is the same question."""
        return self.gate.name

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"Advice only: {self.gate.rule}"

    def check(self, evaluation: Evaluation) -> None:
        """As the gate inside."""
        self.gate.check(evaluation)

    def judge(self, result: EvaluationResult) -> Verdict:
        """What the gate inside says, marked as advice."""
        return replace(self.gate.judge(result), advisory=True)
