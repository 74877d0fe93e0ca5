from dataclasses import replace

import pytest

from platform_ml.gates import HumanApproval
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.gate import Outcome
from platform_ml.spec.waiver import Approval
from platform_ml.testing.declarations import numbers
from platform_ml.testing.gates import GateContract

SEEN = numbers()
APPROVAL = Approval(
    author="ada",
    reason="I looked at the slices.",
    model=SEEN.model_digest,
    dataset=SEEN.dataset_digest,
    evaluation=SEEN.digest,
)


class TestHumanApproval(GateContract):
    @pytest.fixture
    def gate(self):
        return HumanApproval(("ada", "grace"), (APPROVAL,))

    @pytest.fixture
    def passing(self):
        return SEEN

    @pytest.fixture
    def failing(self):
        return replace(SEEN, model_digest="n" * 64)

    @pytest.fixture
    def undefined(self):
        return SEEN

    def test_undefined_numbers_do_not_pass(self, undefined):
        verdict = HumanApproval(("ada",)).judge(undefined)
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert f'evaluation="{undefined.digest}"' in verdict.advice

    @pytest.mark.parametrize("changed", [{"model_digest": "x"}, {"dataset_digest": "x"}, {"size_bytes": 7}])
    def test_an_approval_of_something_else_is_stale(self, gate, changed):
        verdict = gate.judge(replace(SEEN, **changed))
        assert verdict.outcome is Outcome.FAILED
        assert "that by ada is for" in verdict.reason

    def test_who_may_not_approve_is_refused(self):
        with pytest.raises(DeclarationError, match="no approver 'eve'"):
            HumanApproval(("ada",), (replace(APPROVAL, author="eve"),))

    def test_what_only_looks_like_an_approval_is_refused(self):
        class Pretender(Approval):
            def differs(self, result):
                return ""

        with pytest.raises(DeclarationError, match="is no Approval"):
            HumanApproval(("ada",), (Pretender(author="ada", reason="So.", model="m", dataset="d", evaluation="e"),))

    def test_a_forged_approval_does_not_pass(self, gate, failing):
        forged = object.__new__(Approval)
        for name, value in vars(replace(APPROVAL, model="n" * 64)).items():
            object.__setattr__(forged, name, value)
        object.__setattr__(forged, "author", "eve")
        object.__setattr__(forged, "evaluation", failing.digest)
        object.__setattr__(gate, "approvals", (forged,))
        verdict = gate.judge(failing)
        assert verdict.outcome is Outcome.FAILED
        assert "nobody who may approve" in verdict.reason

    def test_somebody_has_to_be_able_to(self):
        with pytest.raises(DeclarationError, match="no approvers"):
            HumanApproval(())
