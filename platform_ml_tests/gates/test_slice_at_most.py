import math
import re
from dataclasses import replace

import pytest

from platform_ml.gates import SliceAtMost
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import Evidence
from platform_ml.spec.fingerprint import fingerprint, meaning
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import beside, lapse_evaluation, numbers
from platform_ml.testing.gate_kinds import SliceLimitContract


class TestSliceAtMost(SliceLimitContract):
    member = SliceAtMost
    metric, other_metric = "log_loss", "roc_auc"
    limit, good, bad = 0.5, 0.48, 0.6

    def test_name(self, gate):
        assert gate.name == "slices_log_loss_at_most"

    def test_the_other_direction_is_not_for_it(self):
        with pytest.raises(DeclarationError, match="Use SliceAtLeast"):
            SliceAtMost(metric="roc_auc", limit=0.5).check(lapse_evaluation)


BY_COUNTRY = SliceAtMost("log_loss", by="country", limits={"AT": 0.5, "CH": 0.7})


def country(value_of, value, **changes):
    return beside(value_of, value, measure="log_loss", **{"error": 0.01} | changes)


def judged(gate, *compared):
    return gate.judge(numbers(evidence=Evidence(compared=compared)))


class TestLimitsOfTheirOwn:
    def test_each_value_is_held_to_its_own(self):
        BY_COUNTRY.check(lapse_evaluation)
        verdict = judged(BY_COUNTRY, country("AT", 0.48), country("CH", 0.68))
        assert verdict.passed
        assert [(part.gate, part.limit) for part in verdict.parts] == [("country = AT", 0.5), ("country = CH", 0.7)]
        swapped = judged(BY_COUNTRY, country("AT", 0.68), country("CH", 0.48))
        assert swapped.outcome is Outcome.FAILED
        assert (swapped.value, swapped.limit) == (0.68, 0.5)

    def test_its_name_and_rule_say_them(self):
        assert BY_COUNTRY.name == "slices_log_loss_at_most_by_country"
        rule = "log_loss is at most 0.5 (AT), 0.7 (CH) on the test rows of each country, at least 30."
        assert BY_COUNTRY.rule == rule
        others = SliceAtMost("log_loss", 0.9, by="country", limits={"AT": 0.5})
        assert "0.5 (AT), 0.9 (others)" in others.rule

    @pytest.mark.parametrize(
        ("seen", "said"),
        [
            ((country("AT", 0.48), country("CH", 0.1, rows=29)), "country = CH: 29 rows"),
            ((country("AT", 0.48),), "country = CH: No test row has this value"),
            ((country("AT", 0.48), country("Ch", 0.1)), "country = Ch: It has no limit; country = CH: No test row"),
            ((country("AT", 0.48), country("CH", 0.71)), "country = CH: 0.7100"),
            ((country("AT", 0.48), country("CH", None)), "country = CH"),
        ],
    )
    def test_what_is_not_shown_is_not_passed(self, seen, said):
        verdict = judged(BY_COUNTRY, *seen)
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert re.search(said, verdict.reason)
        assert verdict.stops

    def test_a_name_that_is_nearly_right_is_named(self):
        verdict = judged(SliceAtMost("log_loss", by="country", limits={"10km": 0.5}), country("10k", 0.4))
        assert "country = 10km: No test row has this value. Did you mean '10k'?" in verdict.reason

    def test_a_limit_of_the_others_is_for_values_without_one(self):
        gate = SliceAtMost("log_loss", 0.6, by="country", limits={"AT": 0.5})
        assert judged(gate, country("AT", 0.4), country("FR", 0.55)).passed
        assert judged(gate, country("AT", 0.4), country("FR", 0.7)).outcome is Outcome.FAILED

    def test_one_limit_can_be_of_one_column(self):
        gate = SliceAtMost("log_loss", 0.5, by="student")
        other = replace(country("true", 0.4), column="student")
        assert judged(gate, country("AT", 0.9), other).passed
        assert "On no slice by student" in gate.rule

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"limits": {"AT": 0.5}}, "Say which: by="),
            ({}, "has no limit"),
            ({"by": "country", "limits": {}}, "has no limit"),
            ({"by": "country", "limits": {"AT": math.inf}}, "limit inf of 'AT' is no number"),
        ],
    )
    def test_wrong_limits_are_refused(self, wrong, said):
        with pytest.raises(DeclarationError, match=said):
            SliceAtMost("log_loss", **wrong)

    def test_the_column_is_one_of_the_slices(self):
        with pytest.raises(DeclarationError, match="Did you mean 'country'"):
            SliceAtMost("log_loss", by="contry", limits={"AT": 1.0}).check(lapse_evaluation)

    def test_a_gate_from_before_means_what_it_meant(self):
        assert meaning(SliceAtMost("log_loss", 0.5)) == {
            "is": "SliceAtMost",
            "min_rows": 30,
            "metric": "log_loss",
            "limit": "0.5",
        }
        assert fingerprint(BY_COUNTRY) != fingerprint(replace(BY_COUNTRY, limits={"AT": 0.5, "CH": 0.6}))
