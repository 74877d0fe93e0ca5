from dataclasses import replace

import pytest

from platform_ml.checks import PSI, BetweenSplits, Complete, InRange, References, Rule, Volume
from platform_ml.engine.dataset_checks import OWN_CHECKS
from platform_ml.engine.training_dataset import materialize_training_dataset
from platform_ml.spec.check import BUILT_IN, OF_DATASETS
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.project import referred
from platform_ml_tests.engine.shop import (
    CUTOFF,
    customers,
    deliver_customers,
    lapse_dataset,
    lapse_view,
    lapsed,
    make,
)

EARLIER = lapsed.cadence.keys()[-2]


def build(work, *checks, cutoff=CUTOFF, dataset=lapse_dataset):
    return materialize_training_dataset(replace(dataset, checks=checks), cutoff, work=work, made_by={})


def of(done, name):
    (found,) = (finding for finding in done.findings if finding.check.name == name)
    return found


def test_names_of_the_checks_that_every_dataset_has_are_known_to_the_declaration():
    assert tuple(check.name for check in OWN_CHECKS) == OF_DATASETS
    with pytest.raises(DeclarationError, match="every training dataset has a check 'gap' already"):
        replace(lapse_dataset, checks=(Rule("gap", "TRUE"),))
    assert not set(OF_DATASETS) & set(BUILT_IN)


@pytest.mark.parametrize("noun", [lapse_view, lapse_dataset])
def test_checks_fit_the_rows_and_change_no_fingerprint(noun):
    assert fingerprint(replace(noun, checks=(InRange("amount_sum_28d", 0),))) == fingerprint(noun)
    with pytest.raises(DeclarationError, match=r"has no column 'amount_sum_82d'\. Did you mean 'amount_sum_28d'"):
        replace(noun, checks=(InRange("amount_sum_82d", 0),))


def test_only_a_dataset_has_splits():
    check = BetweenSplits(PSI("amount_sum_28d", 0.1))
    assert replace(lapse_dataset, checks=(check, Complete("split"))).checks[0] is check
    with pytest.raises(DeclarationError, match="is for training datasets"):
        replace(lapse_view, checks=(check,))


def test_every_row_of_a_dataset_is_held_against_the_generated_checks(shop):
    found = {finding.check.name: finding.reason for finding in build(shop).findings}
    assert found["schema"] == f"{len(lapse_view.types) + 1} columns as declared."
    assert found["not_null"] == "0 nulls in split, customer_id, event_time, lapsed, known_time."
    assert found["unique_key"] == "0 rows repeat a key of (customer_id, event_time)."
    assert found["fresh"].startswith("event_time from 2024-01-31")
    assert found["volume"].endswith("nothing to compare with.")


def test_volume_and_drift_compare_with_earlier_cutoffs(shop):
    checks = (Volume(), PSI("amount_sum_28d", 0.25))
    build(shop, cutoff=EARLIER)
    done = build(shop, *checks)
    assert of(done, "volume").reason.endswith("in the partition before.")
    assert of(done, "volume_as_before").numbers["usual"] > 0
    assert "of 1 partitions" in of(done, "psi_amount_sum_28d").reason
    other = build(shop, *checks, dataset=replace(lapse_dataset, history_days=100))
    assert "nothing to compare with" in of(other, "volume").reason


def test_a_warning_publishes_and_a_blocking_check_does_not(shop):
    wary = build(shop, InRange("amount_sum_28d", maximum=0))
    assert wary.artifact is not None
    assert not of(wary, "in_range_amount_sum_28d").passed
    place = shop.place("datasets", lapse_dataset, EARLIER)
    strict = build(shop, InRange("amount_sum_28d", maximum=0, blocking=True), cutoff=EARLIER)
    assert strict.artifact is None
    assert shop.platform.artifacts.newest(place) is None


def test_a_rule_may_name_the_split(shop):
    done = build(shop, Rule("recent_tests", f"split <> 'test' OR event_time = '{CUTOFF}T00:00Z'"))
    assert of(done, "recent_tests").passed


def test_splits_are_compared(shop):
    found = of(build(shop, BetweenSplits(PSI("amount_sum_28d", 0.0001))), "psi_amount_sum_28d_between_splits")
    assert found.reason.count("PSI of amount_sum_28d is ") + found.reason.count("too few") == 2
    assert found.reason.startswith("validation: ")


def test_rows_of_a_view_are_held_against_its_checks(shop):
    view = replace(lapse_view, checks=(InRange("amount_sum_28d", maximum=0, blocking=True),))
    (done,) = make(shop, view, [CUTOFF], token=9)
    assert [finding.check.name for finding in done.stopped] == ["in_range_amount_sum_28d"]


def test_what_only_its_checks_read_belongs_to_the_project(shop):
    checked = replace(lapse_dataset, checks=(References("customer_id", customers, max_share=1.0),))
    assert referred(checked) == (customers,)
    deliver_customers(shop)
    make(shop, customers, token=9)
    assert of(build(shop, *checked.checks), "customer_id_in_customers").passed
