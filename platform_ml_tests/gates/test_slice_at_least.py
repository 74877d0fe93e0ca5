import math
from dataclasses import replace

import pytest

from platform_ml.gates import SliceAtLeast
from platform_ml.metrics import LogLoss
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Evidence
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import beside, lapse_evaluation, numbers
from platform_ml.testing.gates import GateContract


def country(value_of, value, **changes):
    return beside(value_of, value, measure="roc_auc", **{"error": 0.01} | changes)


GOOD, BAD = country("AT", 0.72), country("CH", 0.6)
SMALL = country("LI", 0.6, rows=29)


class TestSliceAtLeast(GateContract):
    @pytest.fixture
    def gate(self):
        return SliceAtLeast(metric="roc_auc", limit=0.7)

    @pytest.fixture
    def passing(self):
        return numbers(evidence=Evidence(compared=(GOOD, SMALL)))

    @pytest.fixture
    def failing(self):
        return numbers(evidence=Evidence(compared=(GOOD, BAD, SMALL)))

    @pytest.fixture
    def undefined(self):
        return numbers(evidence=Evidence(compared=(SMALL, country("FR", math.nan))))

    @pytest.fixture
    def foreign(self):
        return replace(lapse_evaluation, metrics=(LogLoss(),))

    def test_name_and_numbers(self, gate, failing):
        verdict = gate.judge(failing)
        assert verdict.gate == "slices_roc_auc_at_least"
        assert (verdict.value, verdict.limit, verdict.rows) == (0.6, 0.7, 400)
        assert verdict.low == pytest.approx(0.6 - 1.9659 * 0.01, abs=1e-5)
        assert [part.gate for part in verdict.parts if not part.passed] == ["country = CH", "country = LI"]

    def test_no_more_than_chance_is_named_and_stops_nothing(self, gate):
        verdict = gate.judge(numbers(evidence=Evidence(compared=(GOOD, replace(BAD, variance=0.01)))))
        assert verdict.passed
        assert "beyond it, but no more than chance explains: country = CH (about" in verdict.reason
        assert verdict.parts[1].outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert verdict.parts[1].rows_needed > 400

    def test_the_other_direction_is_not_for_it(self):
        with pytest.raises(DeclarationError, match="Use SliceAtMost"):
            SliceAtLeast(metric="log_loss", limit=0.5).check(lapse_evaluation)

    def test_without_slices_there_is_nothing_to_judge(self, gate):
        with pytest.raises(DeclarationError, match="no slices"):
            gate.check(replace(lapse_evaluation, slices=()))
