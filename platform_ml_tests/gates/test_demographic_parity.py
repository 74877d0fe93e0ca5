from dataclasses import replace

import pytest

from platform_ml.gates import DemographicParity
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import REST, Evidence
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import beside, lapse_evaluation, numbers, spend_evaluation
from platform_ml.testing.gates import GateContract

MEASURES = ("selection_rate",)


def rate(value_of, value, *, at=0, rows=400, error=0.02):
    """Against 0.5 of all others."""
    return beside(value_of, value, error=error, reference=0.5, measure=MEASURES[at], rows=rows, against=REST)


def seen(*values, **changes):
    compared = [rate(f"C{n}", value, at=at, **changes) for n, value in enumerate(values) for at in range(len(MEASURES))]
    return numbers(evidence=Evidence(compared=tuple(compared), threshold=0.5))


class TestDemographicParity(GateContract):
    @pytest.fixture
    def gate(self):
        return DemographicParity(column="country", difference=0.1)

    @pytest.fixture
    def evaluation(self):
        return replace(lapse_evaluation, threshold=0.5)

    @pytest.fixture
    def passing(self):
        return seen(0.55, 0.42)

    @pytest.fixture
    def failing(self):
        return seen(0.55, 0.7)

    @pytest.fixture
    def undefined(self):
        return seen(0.9, 0.1, rows=29)

    @pytest.fixture
    def foreign(self):
        return lapse_evaluation

    def test_too_low_is_as_bad_as_too_high(self, gate):
        assert gate.judge(seen(0.3)).outcome is Outcome.FAILED
        assert gate.judge(seen(0.3)).value == pytest.approx(0.2)

    def test_a_ratio_is_of_the_lower_to_the_higher_rate(self):
        gate = DemographicParity(column="country", ratio=0.8)
        outcomes = {value: gate.judge(seen(value)).outcome for value in (0.3, 0.45, 0.5, 0.6, 0.9)}
        assert [value for value, outcome in outcomes.items() if outcome is Outcome.FAILED] == [0.3, 0.9]
        verdict = gate.judge(seen(0.3))
        assert (verdict.value, verdict.limit, verdict.rows) == (pytest.approx(0.6), 0.8, 400)
        assert verdict.low < 0.6 < verdict.high < 0.8
        assert verdict.parts[0].reason.startswith("0.300 [0.251, 0.349] against 0.500 [0.4")

    def test_others_too_few_to_compare_with_are_not_enough(self, gate):
        compared = tuple(replace(one, reference_rows=29) for one in seen(0.9).evidence.compared)
        verdict = gate.judge(numbers(evidence=Evidence(compared=compared, threshold=0.5)))
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE

    def test_a_small_group_that_was_always_selected_is_not_known_to_be_so(self):
        gate = DemographicParity(column="country", difference=0.0)
        always = replace(rate("C0", 1.0, rows=30, error=0.0), reference=0.97, reference_variance=1e-5)
        verdict = gate.judge(numbers(evidence=Evidence(compared=(always,), threshold=0.5)))
        assert verdict.outcome != "failed"
        assert verdict.parts[0].rows_needed > 30
        many = replace(always, rows=3_000, entities=3_000)
        assert gate.judge(numbers(evidence=Evidence(compared=(many,), threshold=0.5))).outcome == "failed"

    def test_name(self, gate):
        assert gate.name == "demographic_parity_by_country"

    def test_only_a_binary_label_selects(self, gate):
        with pytest.raises(DeclarationError, match="binary label"):
            gate.check(spend_evaluation)

    def test_the_column_is_one_of_the_slices(self, evaluation):
        with pytest.raises(DeclarationError, match="Did you mean 'country'"):
            DemographicParity(column="contry", ratio=0.8).check(evaluation)

    @pytest.mark.parametrize("limits", [{}, {"difference": 0.1, "ratio": 0.8}, {"difference": 1}, {"ratio": 1.25}])
    def test_one_limit_that_is_one(self, limits):
        with pytest.raises(DeclarationError, match="DemographicParity by 'country'"):
            DemographicParity(column="country", **limits)
