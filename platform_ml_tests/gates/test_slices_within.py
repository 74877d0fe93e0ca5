import math
from dataclasses import replace

import pytest

from platform_ml.gates import SlicesWithin
from platform_ml.metrics import LogLoss, RocAuc
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import lapse_evaluation, numbers, slice_of
from platform_ml.testing.gates import GateContract

NEAR = slice_of("AT", gap=Estimate(value=-0.1, low=-0.2, high=0.0))
FAR = slice_of("CH", gap=Estimate(value=-0.11, low=-0.2, high=-0.02))
SMALL = slice_of("LI", gap=Estimate(value=-0.4), rows=99)
UNDEFINED = slice_of("FR", gap=Estimate(value=math.nan))


class TestSlicesWithin(GateContract):
    @pytest.fixture
    def gate(self):
        return SlicesWithin(metric="roc_auc", margin=0.1)

    @pytest.fixture
    def passing(self):
        return numbers(slices=(NEAR, SMALL, UNDEFINED))

    @pytest.fixture
    def failing(self):
        return numbers(slices=(NEAR, SMALL, FAR))

    @pytest.fixture
    def undefined(self):
        return numbers(slices=(SMALL, UNDEFINED))

    @pytest.fixture
    def foreign(self):
        return replace(lapse_evaluation, slices=())

    def test_name(self, gate):
        assert gate.name == "slices_within_roc_auc"

    def test_names_what_was_not_judged(self, gate, passing):
        assert gate.judge(passing).reason == (
            "1 of 3 slices judged by roc_auc, margin 0.1; "
            "worst, against all test rows: country = AT -0.1000 [-0.2000, 0.0000] (400 rows); "
            "not enough data: country = LI, country = FR."
        )

    def test_names_every_slice_that_is_too_far_below(self, gate):
        reason = gate.judge(numbers(slices=(replace(FAR, value="IT"), NEAR, FAR))).reason
        assert "country = IT -0.1100" in reason
        assert "country = CH -0.1100 [-0.2000, -0.0200] (400 rows)" in reason
        assert "AT" not in reason

    def test_no_slices_are_no_evidence(self, gate):
        assert gate.judge(numbers(slices=())).outcome is Outcome.NOT_ENOUGH_EVIDENCE

    def test_slices_are_compared_by_the_first_metric_only(self):
        evaluation = replace(lapse_evaluation, metrics=(LogLoss(), RocAuc()))
        with pytest.raises(DeclarationError, match="Put 'roc_auc' first"):
            SlicesWithin(metric="roc_auc", margin=0.1).check(evaluation)

    def test_an_evaluation_without_slices_is_told_its_helpers(self, gate, foreign):
        with pytest.raises(DeclarationError, match="Choose from country, student"):
            gate.check(foreign)

    def test_near_miss(self):
        with pytest.raises(DeclarationError, match="Did you mean 'roc_auc'"):
            SlicesWithin(metric="rocauc", margin=0.1).check(lapse_evaluation)

    @pytest.mark.parametrize("wrong", [{"margin": -0.1}, {"margin": math.nan}, {"margin": 0.1, "min_rows": 0}])
    def test_numbers_that_make_no_rule(self, wrong):
        with pytest.raises(DeclarationError, match="or more"):
            SlicesWithin(metric="roc_auc", **wrong)
