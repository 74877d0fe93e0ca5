import math
from dataclasses import replace

import pytest

from platform_ml.gates import SliceGap
from platform_ml.gates.slices import holm
from platform_ml.metrics import LogLoss
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Evidence
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import beside, lapse_evaluation, numbers
from platform_ml.testing.gates import GateContract

NEAR = beside("AT", 0.75, error=0.01)
FAR = beside("CH", 0.6, error=0.01)
SMALL = beside("LI", 0.3, error=0.01, rows=29)


def seen(*compared):
    return numbers(evidence=Evidence(compared=compared))


class TestSliceGap(GateContract):
    @pytest.fixture
    def gate(self):
        return SliceGap(metric="roc_auc", difference=0.1)

    @pytest.fixture
    def passing(self):
        return seen(NEAR, SMALL)

    @pytest.fixture
    def failing(self):
        return seen(NEAR, FAR)

    @pytest.fixture
    def undefined(self):
        return seen(SMALL, beside("FR", math.nan, error=0.01))

    @pytest.fixture
    def foreign(self):
        return replace(lapse_evaluation, metrics=(LogLoss(),))

    def test_names_what_is_beyond_and_what_was_not_judged(self, gate):
        verdict = gate.judge(seen(NEAR, FAR, SMALL))
        assert verdict.gate == "slice_gap_roc_auc"
        assert verdict.reason == (
            "2 of 3 slices judged by the gap of roc_auc to all test rows, limit -0.1; "
            "beyond it: country = CH -0.2000 [-0.2197, -0.1803] (400 rows); not enough data: country = LI."
        )

    def test_old_numbers_are_no_evidence(self, gate):
        verdict = gate.judge(numbers())
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert "materialize the evaluation again" in verdict.advice

    def test_few_entities_are_little_evidence_however_many_rows(self, gate):
        assert gate.judge(seen(NEAR, replace(FAR, entities=2))).passed
        assert not gate.judge(seen(NEAR, replace(FAR, entities=20))).passed

    def test_more_slices_ask_for_more_evidence(self, gate):
        alone = beside("CH", 0.68, error=0.01)
        others = [beside(f"C{n}", 0.75, error=0.01) for n in range(20)]
        assert not gate.judge(seen(alone)).passed
        verdict = gate.judge(seen(alone, *others))
        assert verdict.passed
        assert verdict.value == pytest.approx(-0.12)
        (needed,) = [part.rows_needed for part in verdict.parts if part.rows_needed]
        # As many rows again make the standard error so much smaller that it is found nine times of ten.
        assert needed == pytest.approx(400 * ((2.823 + 1.2816) * 0.01 / 0.02) ** 2, rel=0.01)

    def test_rows_that_are_all_alike_show_nothing(self, gate):
        verdict = gate.judge(seen(beside("CH", 0.6, error=0.0)))
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE

    def test_a_loss_is_worse_where_it_is_greater(self):
        by_ratio = SliceGap(metric="log_loss", ratio=1.25)
        by_difference = SliceGap(metric="log_loss", difference=0.1)
        for gate in (by_ratio, by_difference):
            gate.check(lapse_evaluation)
            for value, passed in ((0.3, True), (0.55, True), (0.7, False)):
                one = beside("CH", value, error=0.01, reference=0.5, measure="log_loss")
                assert gate.judge(seen(one)).passed == passed
        verdict = by_ratio.judge(seen(beside("CH", 0.7, error=0.01, reference=0.5, measure="log_loss")))
        assert (verdict.gate, verdict.value, verdict.limit) == ("slice_ratio_log_loss", pytest.approx(1.4), 1.25)
        assert verdict.low == pytest.approx(1.4 - 1.9659 * 0.02, abs=1e-4)

    def test_a_ratio_of_a_score_is_below_1(self):
        gate = SliceGap(metric="roc_auc", ratio=0.9)
        assert not gate.judge(seen(FAR)).passed
        assert gate.judge(seen(NEAR)).passed
        with pytest.raises(DeclarationError, match="at most 1: more is better"):
            SliceGap(metric="roc_auc", ratio=1.1).check(lapse_evaluation)
        with pytest.raises(DeclarationError, match="at least 1: less is better"):
            SliceGap(metric="log_loss", ratio=0.9).check(lapse_evaluation)

    @pytest.mark.parametrize(
        "limits", [{}, {"difference": 0.1, "ratio": 0.9}, {"difference": -0.1}, {"ratio": 0}, {"ratio": math.nan}]
    )
    def test_one_limit_that_is_one(self, limits):
        with pytest.raises(DeclarationError, match="SliceGap on 'roc_auc'"):
            SliceGap(metric="roc_auc", **limits)

    def test_support_is_declared(self):
        with pytest.raises(DeclarationError, match="1 or more"):
            SliceGap(metric="roc_auc", difference=0.1, min_rows=0)
        assert not SliceGap(metric="roc_auc", difference=0.1, min_rows=20).judge(seen(SMALL)).passed


def test_holm_never_orders_otherwise_and_is_between_nothing_and_bonferroni():
    chances = [0.3, 0.001, 0.02, 0.011, 0.5, 0.02]
    found = holm(chances)
    assert found[1] == pytest.approx(0.006)
    assert found[3] == pytest.approx(0.055)
    assert all(p <= q <= min(1, 6 * p) for p, q in zip(chances, found, strict=True))
    assert sorted(found) == [found[at] for at in sorted(range(6), key=lambda at: chances[at])]
    assert holm([]) == []
