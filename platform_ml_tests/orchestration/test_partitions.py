"""Dagster's partitions are the cadences', and what it thinks a partition reads is what the engine reads."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from platform_ml.engine import feature_group, feature_view, label
from platform_ml.features import Total
from platform_ml.orchestration.partitions import (
    dataset_on_view,
    group_on_source,
    label_on_source,
    partitions_def,
    view_on_group,
)
from platform_ml.outcomes import NoEvent
from platform_ml.spec.window import Daily, Monthly, Weekly
from platform_ml.splitters import ByTime
from platform_ml.testing import declarations as small

# Used knowingly, as by the code location.
pytestmark = pytest.mark.filterwarnings("ignore:Parameter `allow_nonexistent_upstream_partitions`")

FIRST = date(2023, 1, 2)
DAYS = 371
WEEK = range(7)
orders = replace(small.orders, cadence=Daily(first=FIRST, last=FIRST + timedelta(days=DAYS - 1)))


def today():
    return datetime.now(UTC).date()


def weekly(start, weeks):
    return Weekly(first=start, last=start + timedelta(days=7 * (weeks - 1)))


CADENCES = (orders.cadence, weekly(FIRST, 53), weekly(FIRST + timedelta(days=3), 52))


def keys(cadence):
    return list(partitions_def(cadence).get_partition_keys())


def read(mapping, down, up, key):
    """The upstream partitions that Dagster derives for one partition."""
    downstream, upstream = partitions_def(down), partitions_def(up)
    found = mapping.get_upstream_mapped_partitions_result_for_partitions(
        downstream.subset_with_partition_keys([key]), downstream, upstream
    )
    return list(found.partitions_subset.get_partition_keys())


def assert_covers(found, needed, most):
    """All that is needed, and at either end at most so many partitions more."""
    assert set(needed) <= set(found)
    if needed:
        assert sum(key < needed[0] for key in found) <= most
        assert sum(key > needed[-1] for key in found) <= most
        assert found == sorted(found)
    else:
        assert len(found) <= most


def some(cadence, ahead=0):
    """Keys at both ends, where windows are cut off, and between them."""
    found = [key for key in cadence.keys() if cadence.day(key) + timedelta(days=ahead) <= orders.cadence.end]
    return sorted({*found[:4], *found[len(found) // 2 :][:3], *found[-2:]})


def test_without_cadence_there_are_no_partitions():
    assert partitions_def(None) is None


@pytest.mark.parametrize("first", [FIRST + timedelta(days=n) for n in WEEK], ids="{:%a}".format)
def test_bounded_cadences_have_dagsters_keys(first):
    for cadence in (Daily(first=first, last=first + timedelta(days=400)), weekly(first, 60), weekly(first, 1)):
        assert keys(cadence) == cadence.keys()


@pytest.mark.parametrize("ago", [1, 2, 30, 365])
def test_an_open_day_exists_when_it_is_over(ago):
    now, found, ours = at_once(lambda: Daily(first=today() - timedelta(days=ago)))
    assert found == ours
    assert found[-1] == str(now - timedelta(days=1))


@pytest.mark.parametrize("ago", [*range(1, 7), 20, 366])
def test_an_open_week_exists_from_its_beginning(ago):
    now, found, ours = at_once(lambda: Weekly(first=today() - timedelta(days=ago)))
    assert found == ours
    assert found == [str(now - timedelta(days=days)) for days in range(ago, -1, -7)]


@pytest.mark.parametrize("ago", [7, 21])
def test_an_open_week_exists_on_its_first_day(ago):
    now, found, ours = at_once(lambda: Weekly(first=today() - timedelta(days=ago)))
    assert found[-1] == str(now)
    assert found == ours


def at_once(cadence):
    """Both lists of keys of the same day, also when midnight comes between them."""
    while True:
        now, found, ours = today(), keys(cadence()), cadence().keys()
        if now == today():
            return now, found, ours


@pytest.mark.parametrize("days", [1, 2, 6, 7, 8, 28, 365])
@pytest.mark.parametrize("cadence", CADENCES, ids=["daily", "weekly", "another weekday"])
def test_a_group_reads_its_windows(cadence, days):
    group = replace(small.order_history, source=orders, cadence=cadence, features=(Total(days=days, of="amount"),))
    for key in some(cadence):
        found = read(group_on_source(group), cadence, orders.cadence, key)
        assert_covers(found, feature_group.source_keys(group, key), cadence.days - 1)


@pytest.mark.parametrize("days", [1, 7, 8, 30])
def test_a_group_of_a_weekly_source_reads_whole_weeks(days):
    weeks = replace(orders, cadence=weekly(FIRST, 53))
    for cadence in CADENCES[:2]:
        group = replace(small.order_history, source=weeks, cadence=cadence, features=(Total(days=days, of="amount"),))
        for key in some(cadence):
            found = read(group_on_source(group), cadence, weeks.cadence, key)
            assert_covers(found, feature_group.source_keys(group, key), 0)


@pytest.mark.parametrize("seen_within_days", [1, 7, 10, None])
@pytest.mark.parametrize("horizon", [1, 7, 14, 30])
@pytest.mark.parametrize("cadence", CADENCES, ids=["daily", "weekly", "another weekday"])
def test_a_label_reads_its_past_and_its_horizon(cadence, horizon, seen_within_days):
    lapsed = replace(
        small.lapsed,
        source=orders,
        cadence=cadence,
        outcome=NoEvent(days=horizon),
        seen_within_days=seen_within_days,
    )
    for key in some(cadence, horizon):
        found = read(label_on_source(lapsed), cadence, orders.cadence, key)
        assert_covers(found, label.source_keys(lapsed, key), cadence.days - 1)


@pytest.mark.parametrize("moments", CADENCES, ids=["daily", "weekly", "another weekday"])
@pytest.mark.parametrize("cadence", CADENCES, ids=["daily", "weekly", "another weekday"])
def test_a_view_reads_the_last_snapshot(cadence, moments):
    group = replace(small.order_history, source=orders, cadence=cadence)
    view = replace(small.lapse_view, label=replace(small.lapsed, source=orders, cadence=moments), features=(group,))
    for key in some(moments):
        found = read(view_on_group(group, view), moments, cadence, key)
        assert_covers(found, feature_view.group_keys(group, view, key), -(-moments.days // cadence.days))


def test_a_group_without_time_has_no_mapping():
    assert group_on_source(small.customer_profile) is None
    assert view_on_group(small.customer_profile, small.lapsed) is None


@pytest.mark.parametrize("history_days", [126, 130, 132, 133, 364])
def test_a_dataset_reads_its_history(history_days):
    cadence = weekly(FIRST, 53)
    view = replace(
        small.lapse_view,
        label=replace(small.lapsed, source=orders, cadence=cadence),
        features=(replace(small.order_history, source=orders, cadence=orders.cadence),),
    )
    dataset = replace(small.lapse_dataset, view=view, history_days=history_days, splitter=ByTime(validation_days=14))
    for key in some(cadence):
        found = read(dataset_on_view(dataset), cadence, cadence, key)
        assert found == dataset.view_keys(cadence.day(key))


def test_months_have_dagsters_keys():
    for months in (Monthly(first=date(2023, 11, 1), last=date(2024, 4, 1)), Monthly(first=FIRST.replace(day=1))):
        assert keys(months) == months.keys()


MONTHS = Monthly(first=date(2023, 7, 1), last=date(2024, 1, 1))


@pytest.mark.parametrize("history_days", [126, 181, 364])
@pytest.mark.parametrize(
    ("cutoffs", "label"),
    [(MONTHS, orders.cadence), (MONTHS, weekly(FIRST, 52)), (weekly(date(2023, 7, 5), 25), orders.cadence)],
    ids=["months on days", "months on weeks", "weeks on days"],
)
def test_a_dataset_with_coarser_cutoffs_reads_what_comes_before_them(cutoffs, history_days, label):
    group = replace(small.order_history, source=orders, cadence=orders.cadence)
    view = replace(small.lapse_view, label=replace(small.lapsed, source=orders, cadence=label), features=(group,))
    splitter = ByTime(validation_days=14)
    dataset = replace(
        small.lapse_dataset, view=view, history_days=history_days, splitter=splitter, cutoffs=cutoffs,
        windows_may_overlap="It is used that way.",
    )  # fmt: skip
    for key in cutoffs.keys():
        found, needed = read(dataset_on_view(dataset), cutoffs, label, key), dataset.view_keys(cutoffs.day(key))
        assert set(needed) <= set(found)
        # Dagster counts whole months, and a week that begins before them reaches into the first one.
        assert len(found) - len(needed) <= -(-2 * cutoffs.longest // label.days)
        assert found[-1] == needed[-1]
