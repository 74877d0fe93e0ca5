from platform_ml.gates import EqualisedOdds
from platform_ml.spec.evidence import Evidence
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import numbers
from platform_ml.testing.gate_kinds import ParityContract


class TestEqualisedOdds(ParityContract):
    member = EqualisedOdds
    measures = ("true_positive_rate", "false_positive_rate")
    named = "equalised_odds_by_country"

    def test_one_of_the_two_rates_is_enough_to_fail(self, gate):
        mixed = (self.rate("AT", 0.5, at=0), self.rate("AT", 0.8, at=1))
        verdict = gate.judge(numbers(evidence=Evidence(compared=mixed, threshold=0.5)))
        assert verdict.outcome is Outcome.FAILED
        assert "country = AT, false_positive_rate" in verdict.reason
