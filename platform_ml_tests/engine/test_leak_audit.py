from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from platform_ml.engine.leak_audit import CHECKS, audit_record
from platform_ml.spec.leak_audit import LeakAudit
from platform_ml.splitters import ByTime
from platform_ml.testing.declarations import lapse_dataset
from platform_ml_tests.engine.leaks import (
    DATASETS,
    NUMBERS,
    Careless,
    Hasty,
    apart,
    at_random,
    audited,
    by_time,
    customers,
    failed,
    split,
)


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("seed", range(8))
def test_clean_data_passes(name, seed):
    dataset = DATASETS[name]
    found = audited(dataset, split(dataset, customers(seed)))
    assert list(found) == [check.name for check in CHECKS]
    assert {name: finding.reason for name, finding in found.items() if not finding.passed} == {}


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("number", [8, 15, 30])
def test_small_clean_data_passes(name, number):
    dataset = DATASETS[name]
    for seed in range(7, 17):
        rows = split(dataset, customers(seed, number=number))
        assert len(set(rows["split"].to_pylist())) < 3 or failed(dataset, rows) == set()


def test_the_record_has_every_number():
    found = audited(by_time, split(by_time, customers()))
    record = audit_record(list(found.values()))
    assert list(record) == [check.name for check in CHECKS]
    assert record["gap"]["passed"]
    assert record["gap"]["numbers"] == {"train to validation": 21, "validation to test": 21}
    assert not record["train_against_test"]["blocking"]


def test_a_helper_from_the_future():
    columns = customers()
    columns["last_seen"][5] = columns["event_time"][5] + timedelta(microseconds=1)
    rows = split(by_time, columns)
    finding = audited(by_time, rows)["times"]
    assert finding.stops
    assert "'last_seen' lies after the row's moment in 1 of 3,840 rows: it was not known then" in finding.reason
    planned = replace(by_time, audit=LeakAudit(known_ahead=("last_seen",)))
    assert failed(planned, rows) == set()


def test_the_event_time_of_a_joined_group():
    columns = customers() | {"joined_at": list(customers()["event_time"])}
    assert failed(by_time, split(by_time, columns), times=["joined_at"]) == set()
    columns["joined_at"] = [time + timedelta(days=1) for time in columns["joined_at"]]
    rows = split(by_time, columns)
    finding = audited(by_time, rows, times=["joined_at"])["times"]
    assert finding.stops
    assert finding.numbers == {"last_seen": 0, "joined_at": 3_840}
    assert failed(by_time, rows) == set()


def test_an_outcome_that_is_known_at_the_moment():
    columns = customers()
    columns["known_time"][-3:] = columns["event_time"][-3:]
    finding = audited(by_time, split(by_time, columns))["times"]
    assert finding.stops
    assert "the outcome is known at the row's moment already in 3 of 3,840 rows" in finding.reason


def test_an_entity_on_both_sides():
    careless = replace(at_random["ByHash"], splitter=Careless())
    finding = audited(careless, split(careless, customers()))["entities"]
    assert finding.stops
    assert "240 of 240 values of 'customer_id' are in more than one split, but the splitter promises" in finding.reason
    allowed = audited(at_random["ByHash"], split(at_random["ByHash"], customers()))["entities"]
    assert allowed.passed
    assert allowed.reason.endswith("the splitter allows it.")
    for dataset in (apart, at_random["ByEntity"]):
        assert audited(dataset, split(dataset, customers()))["entities"].numbers["shared"] == 0


def test_a_single_entity_on_both_sides():
    rows = split(apart, customers())
    who, sides = rows["customer_id"].to_pylist(), rows["split"].to_pylist()
    who[sides.index("test")] = who[sides.index("train")]
    planted = rows.set_column(rows.column_names.index("customer_id"), "customer_id", [who])
    finding = audited(apart, planted)["entities"]
    assert finding.stops
    assert finding.numbers["shared"] == 1


def copied(columns, take, put):
    """Everything but keys and times of some rows, in the place of others."""
    content = (*NUMBERS, "city", "lapsed")
    planted = {name: np.array(values, dtype=object) for name, values in columns.items()}
    for name in content:
        planted[name][put] = planted[name][take]
    return planted


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("seed", range(3))
def test_test_rows_that_were_copied_into_training(name, seed):
    dataset = DATASETS[name]
    columns = customers(seed)
    columns["row"] = np.arange(len(columns["customer_id"]))
    rows = split(dataset, columns)
    sides = np.array(rows["split"].to_pylist())
    number = rows["row"].to_numpy()
    test, train = number[sides == "test"], number[sides == "train"]
    some = test[:: max(1, len(test) // 60)]
    planted = split(dataset, copied(columns, some, train[: len(some)]))
    finding = audited(dataset, planted)["copies"]
    assert finding.stops
    assert "rows were copied" in finding.reason


@pytest.mark.parametrize("name", at_random)
@pytest.mark.parametrize("times", [2, 3])
def test_rows_that_were_doubled_before_a_split_at_random(name, times):
    """As oversampling does: training rows have as many twins as test rows have."""
    dataset, columns = at_random[name], customers()
    n = len(columns["customer_id"])
    planted = {name: list(values) * times for name, values in columns.items()}
    planted["customer_id"] = [who + 10_000 * (row // n) for row, who in enumerate(planted["customer_id"])]
    finding = audited(dataset, split(dataset, planted))["copies"]
    assert finding.stops
    assert "they were doubled" in finding.reason


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("seed", range(4))
def test_few_different_values_are_no_copies(name, seed):
    dataset, columns = DATASETS[name], customers(seed)
    draw = np.random.default_rng(seed)
    n = len(columns["customer_id"])
    for feature, most in zip(NUMBERS, (2, 3, 12, 40), strict=True):
        columns[feature] = draw.integers(0, most, n).astype(float)
    assert audited(dataset, split(dataset, columns))["copies"].passed


@pytest.mark.parametrize("seed", range(4))
def test_customers_who_stay_as_they_are_are_no_copies_by_time(seed):
    columns = customers(seed)
    who = columns["customer_id"]
    draw = np.random.default_rng(seed)
    for feature in NUMBERS:
        columns[feature] = draw.normal(size=who.max() + 1)[who]
    columns["city"] = ["Wien"] * len(who)
    assert audited(by_time, split(by_time, columns))["copies"].passed
    # At random, the same rows are an entity on both sides, and the model need only remember it.
    few = {name: values[: 4 * 240] for name, values in columns.items()}
    few["event_time"] = list(customers()["event_time"][-960:])
    assert "copies" in failed(at_random["ByHash"], split(at_random["ByHash"], few))


def test_a_gap_that_was_promised_and_not_kept():
    hasty = replace(by_time, splitter=Hasty(validation_days=28, test_days=14))
    finding = audited(hasty, split(hasty, customers()))["gap"]
    assert finding.stops
    assert finding.numbers == {"train to validation": 7, "validation to test": 7}
    assert "train to validation, validation to test: less than 14 days" in finding.reason


def test_windows_may_overlap_only_where_somebody_says_why():
    weekly = ByTime(validation_days=14)
    long = replace(lapse_dataset, splitter=weekly)
    columns = customers() | {"amount_sum_28d": customers()["spent"], "days_since_last_28d": customers()["visits"]}
    columns |= {"country": columns["city"], "student": columns["lapsed"]}
    assert audited(long, split(long, columns))["gap"].passed
    short = replace(lapse_dataset, splitter=weekly, windows_may_overlap="It is used that way.")
    rows = split(short, columns)
    said = audited(short, rows)["gap"]
    assert said.passed
    assert said.reason.endswith("windows reach 28 days back and may overlap: It is used that way.")
    finding = audited(long, rows)["gap"]
    assert finding.stops
    assert "train to validation, validation to test: less than 28 days" in finding.reason


def test_outcomes_that_take_longer_than_declared():
    columns = customers()
    columns["known_time"][7] = columns["event_time"][7] + timedelta(days=22)
    finding = audited(by_time, split(by_time, columns))["gap"]
    assert finding.stops
    assert "Outcomes take 22 days" in finding.reason


def test_a_split_at_random_keeps_no_gap():
    for dataset in at_random.values():
        finding = audited(dataset, split(dataset, customers()))["gap"]
        assert finding.passed
        assert finding.reason == "Splits are not by time, so no gap is kept: Customers of a test."
