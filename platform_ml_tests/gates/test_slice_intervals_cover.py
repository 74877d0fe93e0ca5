from dataclasses import replace

import pytest

from platform_ml.gates import SliceIntervalsCover
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Evidence
from platform_ml.spec.gate import Outcome
from platform_ml.spec.intervals import COVERED, Conformal
from platform_ml.testing.declarations import beside, lapse_evaluation, numbers
from platform_ml.testing.gates import GateContract
from platform_ml_tests.gates.test_intervals_cover import EVALUATION


def seen(**shares):
    compared = [beside(name, share, error=0.02, measure=COVERED) for name, share in shares.items()]
    return numbers(evidence=Evidence(compared=tuple(compared)))


class TestSliceIntervalsCover(GateContract):
    @pytest.fixture
    def evaluation(self):
        return EVALUATION

    @pytest.fixture
    def gate(self):
        return SliceIntervalsCover(0.85)

    @pytest.fixture
    def passing(self):
        return seen(AT=0.9, CH=0.84)

    @pytest.fixture
    def failing(self):
        return seen(AT=0.9, CH=0.7)

    @pytest.fixture
    def undefined(self):
        return numbers(evidence=Evidence(compared=(beside("AT", 0.5, error=0.02, measure=COVERED, rows=29),)))

    @pytest.fixture
    def foreign(self):
        return lapse_evaluation

    def test_it_is_corrected_for_how_many_slices_there_are(self, gate):
        """2.0 standard errors below the limit: too much for one slice, not for the worst of twenty."""
        assert gate.judge(seen(CH=0.81)).outcome is Outcome.FAILED
        assert gate.judge(seen(CH=0.81, **{f"C{n}": 0.9 for n in range(19)})).passed

    def test_a_column_can_be_named(self):
        gate = SliceIntervalsCover(0.85, by="country")
        gate.check(EVALUATION)
        assert gate.name == "slice_intervals_cover_by_country"
        with pytest.raises(DeclarationError, match="Did you mean 'country'"):
            SliceIntervalsCover(0.85, by="contry").check(EVALUATION)

    def test_without_slices_the_groups_of_the_intervals_are_enough(self):
        bare = replace(EVALUATION, slices=())
        with pytest.raises(DeclarationError, match="has no slices"):
            SliceIntervalsCover(0.85).check(bare)

    @pytest.mark.parametrize("wrong", [{"at_least": 1.0}, {"at_least": 0.8, "min_rows": 0}])
    def test_limits_make_sense(self, wrong):
        with pytest.raises(DeclarationError, match="SliceIntervalsCover"):
            SliceIntervalsCover(**wrong)

    def test_more_than_was_promised_is_not_to_be_had(self):
        with pytest.raises(DeclarationError, match=r"promise 0.9. Ask for no more"):
            SliceIntervalsCover(0.95).check(EVALUATION)
        assert Conformal().coverage == 0.9
