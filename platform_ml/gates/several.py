"""What the gates made of other gates have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.gate import Outcome, Verdict, is_advisory
from platform_ml.spec.naming import check_name, check_unique

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.evaluation import Evaluation, EvaluationResult
    from platform_ml.spec.gate import Gate


@dataclass(frozen=True, kw_only=True)
class Several:
    """Other gates under one name; the verdict's parts are theirs."""

    name: str
    gates: tuple[Gate, ...]

    words: ClassVar[str]
    """How many of them have to pass."""

    def __post_init__(self) -> None:
        where = f"{type(self).__name__} {self.name!r}"
        check_name(type(self).__name__, self.name)
        if not self.gates:
            raise DeclarationError(f"{where} has no gates.")
        check_unique(where, "gate", [gate.name for gate in self.gates])
        if advice := [gate.name for gate in self.gates if is_advisory(gate)]:
            raise DeclarationError(
                f"{where}: {advice[0]!r} only advises, so it cannot decide. Put it beside, or Advisory around all."
            )

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"{self.words} of these: {' '.join(gate.rule for gate in self.gates)}"

    def check(self, evaluation: Evaluation) -> None:
        """As the gates inside."""
        for gate in self.gates:
            gate.check(evaluation)

    def judge(self, result: EvaluationResult) -> Verdict:
        """The verdicts of all gates inside as one."""
        parts = tuple(gate.judge(result) for gate in self.gates)
        passed = sum(part.passed for part in parts)
        outcome = self.outcome([part.outcome for part in parts])
        missed = [part for part in parts if not part.passed]
        told = " ".join(f"{part.gate}, {part.outcome}: {part.reason}" for part in missed)
        return Verdict(
            gate=self.name,
            outcome=outcome,
            reason=f"{passed} of {len(parts)} gates passed. {told}".strip(),
            advice="" if outcome is Outcome.PASSED else " ".join(part.advice for part in missed).strip(),
            value=float(passed),
            limit=float(self.needed),
            parts=parts,
        )

    @property
    def needed(self) -> int:
        """How many have to pass."""
        raise NotImplementedError

    def outcome(self, outcomes: Sequence[Outcome]) -> Outcome:
        """The verdict on the whole."""
        raise NotImplementedError
