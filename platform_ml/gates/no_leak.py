"""The audit of the training dataset found nothing that a model may not know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.gate import Outcome, Verdict

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult


@dataclass(frozen=True)
class NoLeak:
    """Every check for leaks of the dataset passed, also those that keep no dataset back."""

    but: tuple[str, ...] = ()
    """Checks of the audit that a person has looked at, and that are not asked."""

    @property
    def name(self) -> str:
        """As it is called."""
        return "no_leak"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        but = f", but for {', '.join(self.but)}" if self.but else ""
        return f"Every check for leaks of the training dataset passed{but}."

    def check(self, evaluation: Evaluation) -> None:
        """Every evaluation of a published dataset has its audit."""

    def judge(self, result: EvaluationResult) -> Verdict:
        """A dataset without an audit is no evidence."""
        audit = sorted(result.evidence.audit.items()) if result.evidence else []
        asked = {check: found for check, found in audit if check not in self.but}
        if not asked:
            return Verdict(
                gate=self.name,
                outcome=Outcome.NOT_ENOUGH_EVIDENCE,
                reason="The dataset has no record of an audit.",
                advice="Materialize the dataset, the model and the evaluation again.",
            )
        leaks = {check: found for check, found in asked.items() if found}
        return Verdict(
            gate=self.name,
            outcome=Outcome.FAILED if leaks else Outcome.PASSED,
            reason=" ".join(f"{check}: {found}" for check, found in leaks.items())
            or f"All {len(asked)} checks for leaks passed: {', '.join(asked)}.",
            advice="Do what the check says, then materialize from the dataset on." if leaks else "",
            value=float(len(leaks)),
            limit=0.0,
            rows=sum(split.rows for split in result.splits.values()),
        )
