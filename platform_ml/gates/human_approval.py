"""A person looked at the numbers and said yes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.gate import Outcome, Verdict
from platform_ml.spec.naming import check_known
from platform_ml.spec.waiver import Approval

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult


@dataclass(frozen=True)
class HumanApproval:
    """One of these people approved this model, trained on this dataset, with these numbers.

    Whoever may change the declaration could write any name into it: who wrote a line is what the history of the code
    says, so let a review by the approvers be required for it.
    """

    approvers: tuple[str, ...]
    approvals: tuple[Approval, ...] = ()

    def __post_init__(self) -> None:
        if not self.approvers:
            raise DeclarationError("HumanApproval: there are no approvers, so nobody could approve.")
        for approval in self.approvals:
            if type(approval) is not Approval:
                raise DeclarationError(f"HumanApproval: {approval!r} is no Approval. Use Approval(author=...).")
        check_known("HumanApproval", "approver", [one.author for one in self.approvals], self.approvers)

    @property
    def name(self) -> str:
        """As it is called."""
        return "human_approval"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"{' or '.join(self.approvers)} approved this model, trained on this dataset, with these numbers."

    def check(self, evaluation: Evaluation) -> None:
        """Every evaluation has the digests."""

    def judge(self, result: EvaluationResult) -> Verdict:
        """Fail an approval of something else; without any there is no evidence."""
        stale = []
        for approval in self.approvals:
            other = approval.differs(result)
            if not other and type(approval) is Approval and approval.author in self.approvers:
                reason = f"{approval.author} approved these numbers: {approval.reason.rstrip('.')}."
                return Verdict(gate=self.name, outcome=Outcome.PASSED, reason=reason, value=1.0, limit=1.0)
            stale.append(f"that by {approval.author} is for {other or 'nobody who may approve'}")
        told = f'model="{result.model_digest}", dataset="{result.dataset_digest}", evaluation="{result.digest}"'
        return Verdict(
            gate=self.name,
            outcome=Outcome.FAILED if stale else Outcome.NOT_ENOUGH_EVIDENCE,
            reason=f"No approval is for these numbers: {'; '.join(stale) or 'there is none'}.",
            advice=f"Look at the card, then declare Approval(author=..., reason=..., {told}).",
            value=0.0,
            limit=1.0,
        )
