"""What Dagster thinks that views on events read, and what it therefore calls affected, is what the engine reads."""

from dataclasses import replace
from datetime import timedelta

import pytest

from platform_ml.aggregations import Count
from platform_ml.engine import feature_view, labels, response
from platform_ml.features import Field, Total, Windowed
from platform_ml.orchestration.partitions import (
    group_on_source,
    label_on_response,
    label_on_source,
    partitions_def,
    view_on_group,
)
from platform_ml.outcomes import AnyEvent
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.history import History
from platform_ml.spec.response import Response
from platform_ml.spec.window import Daily, Weekly
from platform_ml.testing import declarations as small
from platform_ml_tests.engine import rides as events
from platform_ml_tests.orchestration.test_partitions import FIRST, keys, read

pytestmark = pytest.mark.filterwarnings("ignore:Parameter `allow_nonexistent_upstream_partitions`")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAILY = Daily(first=FIRST, last=FIRST + 90 * DAY)
WEEKLY = Weekly(first=FIRST, last=FIRST + 84 * DAY)
daily_rides = replace(events.rides, cadence=DAILY)
weekly_rides = replace(events.rides, cadence=WEEKLY)
HISTORIES = {
    "ttl of a day": History(bound="<", ttl=DAY),
    "ttl of an hour": History(bound="<", ttl=HOUR),
    "of the very moment": History(event_time="arrives_at", bound="<", ttl=timedelta(0)),
    "ever": History(bound="<", ttl=None),
    "delayed": History(bound="<", ttl=2 * DAY, delay=30 * HOUR),
    "late": History(event_time="arrives_at", bound="<", ttl=DAY, late_days=3),
}
FEATURES = {
    "pick": (Field(of="kilometres", called="last_km"),),
    "window": Windowed.over(36 * HOUR, how=Count()),
    "hops": (Windowed(how=Count(), window=2 * DAY, tail_hop=DAY, head_hop=HOUR),),
    "ever": (Windowed(how=Count(), window=None),),
}


def group_of(source, features, history, cadence=None):
    if all(feature.exact for feature in features):
        history = replace(history, ttl=None)  # a rule of the newest row, which nothing takes here
    return FeatureGroup(
        name="group",
        description="A group.",
        source=source,
        entity="car",
        cadence=cadence or source.cadence,
        features=features,
        history=history,
    )


def view_of(group, source, lead):
    label = replace(events.late, source=source, event=replace(events.late.event, lead=lead))
    return FeatureView(name="view", description="A view.", label=label, features=(group,))


def assert_same(view, group, most):
    """For keys at both ends and between them: all that is needed, and at most so many partitions more."""
    moments, there = view.label.cadence, group.cadence
    made = keys(moments)
    for key in (*made[:2], made[len(made) // 2], made[-1]):
        needed = feature_view.group_keys(group, view, key)
        found = read(view_on_group(group, view), moments, there, key)
        assert set(needed) <= set(found), key
        assert len(found) - len(needed) <= most, key


@pytest.mark.parametrize("lead", [timedelta(0), 2 * HOUR, 3 * DAY], ids=["no lead", "hours", "days"])
@pytest.mark.parametrize("features", FEATURES)
@pytest.mark.parametrize("history", HISTORIES)
def test_a_view_of_events_reads_what_its_moments_can_see(history, features, lead):
    group = group_of(daily_rides, FEATURES[features], HISTORIES[history])
    # Whole days: up to one more at the beginning, and at the end as many as the lead and the delay are long.
    view = view_of(group, daily_rides, lead)
    ahead = lead + group.history.delay
    assert_same(view, group, 1 + -(-ahead // DAY))


@pytest.mark.parametrize("history", HISTORIES)
def test_a_weekly_label_of_events_reads_its_own_week(history):
    for source in (weekly_rides, daily_rides):
        group = group_of(source, FEATURES["pick"], HISTORIES[history])
        assert_same(view_of(group, weekly_rides, 2 * HOUR), group, 8)


@pytest.mark.parametrize("delay", [timedelta(0), timedelta(microseconds=1), 6 * HOUR, DAY], ids=str)
@pytest.mark.parametrize("lead", [timedelta(0), 2 * HOUR, DAY], ids=str)
@pytest.mark.parametrize("cadence", [DAILY, WEEKLY], ids=["daily", "weekly"])
@pytest.mark.parametrize("source", [daily_rides, weekly_rides], ids=["of days", "of weeks"])
def test_a_view_of_events_reads_the_snapshots_that_speak(source, cadence, lead, delay):
    group = group_of(daily_rides, (Total(days=3, of="kilometres"),), History(delay=delay), cadence)
    assert_same(view_of(group, source, lead), group, 8)


@pytest.mark.parametrize("delay", [timedelta(0), 6 * HOUR], ids=str)
@pytest.mark.parametrize("features", FEATURES)
@pytest.mark.parametrize("moments", [DAILY, WEEKLY], ids=["daily", "weekly"])
def test_a_view_of_midnights_reads_events_before_them(moments, features, delay):
    orders = replace(small.orders, cadence=DAILY)
    group = replace(
        group_of(daily_rides, FEATURES[features], History(event_time="arrives_at", ttl=DAY, delay=delay, late_days=1)),
        entity="driver",
    )
    people = replace(small.lapsed, source=orders, cadence=moments)
    taken = group.select(*(feature.name for feature in group.features)).role("taken_", on={"driver": "customer_id"})
    view = FeatureView(name="view", description="A view.", label=people, features=(taken,))
    assert_same(view, group, 2 * moments.days)


def test_groups_and_labels_of_events_read_the_same_day():
    group = group_of(daily_rides, FEATURES["pick"], HISTORIES["late"])
    assert group_on_source(group) is None
    assert label_on_source(view_of(group, daily_rides, HOUR).label) is None
    label = view_of(group, daily_rides, HOUR).label
    assert labels.source_keys(label, keys(DAILY)[3]) == [keys(DAILY)[3]]


@pytest.mark.parametrize("lead", [timedelta(0), 2 * HOUR, DAY], ids=str)
@pytest.mark.parametrize("answers", [daily_rides, weekly_rides], ids=["in days", "in weeks"])
@pytest.mark.parametrize("source", [daily_rides, weekly_rides], ids=["of days", "of weeks"])
def test_a_response_reads_from_its_moments_to_the_end_of_their_horizon(source, answers, lead):
    event = Response(source=answers, on=("ride_id",), outcome=AnyEvent(days=10), lead=lead)
    label = replace(events.late, source=source, event=event)
    made = keys(source.cadence)
    for key in (*made[:2], made[len(made) // 2], made[-1]):
        needed = response.keys(label, event, key)
        found = read(label_on_response(label, event), source.cadence, answers.cadence, key)
        assert set(needed) <= set(found), key
        assert len(found) - len(needed) <= 14, key  # up to a week more at either end


@pytest.mark.parametrize(
    ("history", "features", "reached"),
    [
        ("ttl of a day", "pick", [0, 1]),
        ("late", "pick", [0, 1, 2, 3, 4]),
        ("delayed", "pick", [0, 1, 2, 3, 4]),
        ("ttl of a day", "window", [0, 1, 2]),
        ("ever", "pick", [*range(50)]),
    ],
)
def test_a_day_that_comes_again_affects_the_days_that_can_see_it(history, features, reached):
    """As Dagster follows the edges downstream, for a lead of two hours: one more day where it needs to."""
    group = group_of(daily_rides, FEATURES[features], HISTORIES[history])
    view = view_of(group, daily_rides, 2 * HOUR)
    made, mapping = keys(DAILY), view_on_group(group, view)
    there = partitions_def(DAILY)
    found = mapping.get_downstream_partitions_for_partitions(
        there.subset_with_partition_keys([made[40]]), there, there
    ).get_partition_keys()
    needing = [key for key in made if made[40] in feature_view.group_keys(group, view, key)]
    assert [made.index(key) - 40 for key in found][: len(reached) + 1] == [*reached, len(reached)][: len(found)]
    assert set(needing) <= set(found)
    assert len(found) - len(needing) <= 1
