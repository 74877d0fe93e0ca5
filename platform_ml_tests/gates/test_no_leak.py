import pytest

from platform_ml.gates import NoLeak
from platform_ml.spec.evidence import Evidence
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import numbers
from platform_ml.testing.gates import GateContract

FOUND = "'amount' alone tells the label."


def audit(**found):
    return numbers(evidence=Evidence(audit=found))


class TestNoLeak(GateContract):
    @pytest.fixture
    def gate(self):
        return NoLeak()

    @pytest.fixture
    def passing(self):
        return audit(times="", copies="")

    @pytest.fixture
    def failing(self):
        return audit(times="", features=FOUND)

    @pytest.fixture
    def undefined(self):
        return audit()

    def test_says_what_the_audit_found(self, gate, failing):
        assert gate.judge(failing).reason == f"features: {FOUND}"

    def test_what_somebody_looked_at_is_not_asked(self, failing):
        assert NoLeak(but=("features",)).judge(failing).passed
        nothing = NoLeak(but=("features", "times")).judge(failing)
        assert nothing.outcome is Outcome.NOT_ENOUGH_EVIDENCE
