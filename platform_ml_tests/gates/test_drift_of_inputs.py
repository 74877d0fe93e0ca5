import pytest

from platform_ml.gates import DriftOfInputs
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Evidence
from platform_ml.testing.declarations import numbers
from platform_ml.testing.gates import GateContract


def drift(**found):
    return numbers(evidence=Evidence(drift=found))


class TestDriftOfInputs(GateContract):
    @pytest.fixture
    def gate(self):
        return DriftOfInputs(0.25)

    @pytest.fixture
    def passing(self):
        return drift(amount=(0.25, 0.01), recency=(0.3, 0.4))

    @pytest.fixture
    def failing(self):
        return drift(amount=(0.26, 0.01), recency=(0.3, 0.4), country=(0.9, 0.1))

    @pytest.fixture
    def undefined(self):
        return drift()

    def test_names_what_drifted_most_first(self, gate, failing):
        verdict = gate.judge(failing)
        assert verdict.reason == "2 of 3 features drifted, limit 0.25; most: country 0.9000, amount 0.2600."
        assert (verdict.value, verdict.limit) == (0.9, 0.25)
        assert [part.gate for part in verdict.parts] == ["country", "recency", "amount"]

    def test_chance_alone_is_no_drift(self, gate):
        verdict = gate.judge(drift(recency=(0.3, 0.4)))
        assert verdict.passed
        assert verdict.limit == 0.4

    @pytest.mark.parametrize("limit", [0, float("inf")])
    def test_a_limit_is_positive(self, limit):
        with pytest.raises(DeclarationError, match="above 0"):
            DriftOfInputs(limit)
