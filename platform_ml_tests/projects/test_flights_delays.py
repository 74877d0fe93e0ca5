"""The model of late arrivals: what it may know, on real days against plain Python and against another future."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import fmean

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from platform_ml.aggregations import Count
from platform_ml.engine import landing
from platform_ml.engine.feed import landing_file
from platform_ml.engine.training_dataset import materialize_training_dataset, split_rows
from platform_ml.engine.tuned_model import train
from platform_ml.features import Field, Windowed
from platform_ml.projects.flights import flights as project
from platform_ml.projects.flights.delays import late_arrivals, late_dataset, late_model, late_view
from platform_ml.projects.flights.features import (
    ARRIVED,
    airport_departures,
    plane_arrivals,
    plane_departures,
)
from platform_ml.projects.flights.sources import YEAR, flights, planes, weather
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.window import Daily, moment
from platform_ml.splitters import ByTime
from platform_ml.tuners import TPE
from platform_ml_tests.engine.rides import make_all
from platform_ml_tests.engine.shop import rows_of, work_in
from platform_ml_tests.orchestration.shop import swapped

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, LAST = date(2013, 7, 6), date(2013, 7, 13)
SPAN = Daily(first=FIRST, last=LAST)
"""A summer week with thunderstorms."""
VIEW = swapped(late_view, YEAR, SPAN)
DATASET = replace(late_dataset, view=VIEW, splitter=ByTime(validation_days=1, test_days=1), history_days=7)
THEN = datetime(2013, 7, 11, 19, 30, tzinfo=UTC)


class TestDeclarations:
    def test_gap_and_look_back_follow_from_label_and_windows(self):
        assert (late_dataset.gap_days, late_view.lookback_days) == (2, 28)

    def test_the_splits_are_those_of_the_task(self):
        said = late_dataset.splitter
        test_from = project.demo_cutoff + DAY - said.test_days * DAY
        trained_until = project.demo_cutoff - said.span_days(late_dataset.gap_days) * DAY
        assert (test_from, trained_until) == (date(2013, 10, 15), date(2013, 9, 29))
        assert late_dataset.view_keys(project.demo_cutoff) == YEAR.keys()

    def test_the_model_sees_neither_the_plane_itself_nor_the_season(self):
        seen = set(late_view.feature_names)
        assert seen.isdisjoint({"tailnum", "flight", "travel_day", "month", "day", "year", "plane_registered"})
        assert {"origin", "carrier", "plane_registered"} <= set(late_view.helper_names)

    def test_all_sources_are_used(self):
        assert {source.name for source in project.nouns if source in (flights, weather, planes)} == {
            "flights",
            "weather",
            "planes",
        }
        assert late_arrivals.card.evaluation.model == late_model

    @pytest.mark.parametrize(
        ("group", "message"),
        [
            (
                replace(plane_departures, features=(Field(of="arr_delay"),)),
                "'other_arr_delay' of 'plane_departures' reads 'arr_delay', which is known at 'arrived_at'",
            ),
            (
                replace(plane_arrivals, history=replace(ARRIVED, bound="<=")),
                "derives from the events that label 'late' predicts, and may see the very event",
            ),
            (
                replace(airport_departures, features=Windowed.over(HOUR, how=Count(), edges="(]")),
                "derives from the events that label 'late' predicts, and may see the very event",
            ),
            (replace(plane_arrivals, features=(Field(of="departed_at"),)), "'other_departed_at' of .* is a moment"),
        ],
    )
    def test_what_would_see_the_future_is_refused(self, group, message):
        with pytest.raises(DeclarationError, match=message):
            replace(late_view, features=(group.role("other_"),))

    def test_a_gap_shorter_than_the_horizon_is_refused(self):
        with pytest.raises(DeclarationError, match="labels look 2 days ahead, but its splits are only 1 days apart"):
            replace(late_dataset, splitter=replace(late_dataset.splitter, gap_days=1))

    def test_windows_that_reach_into_training_need_a_reason(self):
        with pytest.raises(DeclarationError, match="features look back 28 days"):
            replace(late_dataset, splitter=replace(late_dataset.splitter, gap_days=2), windows_may_overlap=None)


def landed(folder):
    work = work_in(folder)
    for source in (flights, weather, planes):
        cut = source if source.cadence is None else replace(source, cadence=SPAN)
        landing.deliver(cut, work=work)
    return work


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    made = landed(tmp_path_factory.mktemp("flights"))
    make_all(made, VIEW)
    return made


@pytest.fixture(scope="module")
def flown(work):
    return rows_of(work, VIEW.label.source)


@pytest.fixture(scope="module")
def seen(work):
    return {identity(row): row for row in rows_of(work, VIEW)}


def identity(row):
    return tuple(row[name] for name in flights.key)


@pytest.fixture(scope="module")
def some(seen):
    """A hundred rows, of flights that had time for a past."""
    later = [row for row in seen.values() if row["event_time"].date() > FIRST + DAY]
    return Random(7).sample(later, 100)


class Past:
    """Flights of the same key before a row's moment, oldest first, read off the source without the platform."""

    def __init__(self, flown, time, *key):
        self.time, self.key, self.found = time, key, {}
        for one in flown:
            if one[time] is not None and all(one[name] is not None for name in key):
                # What is delivered with a day is not seen before that day.
                at = max(one[time], moment(one["scheduled_at"].date()))
                self.found.setdefault(tuple(one[name] for name in key), []).append((at, one))

    def before(self, row, window):
        at = row["event_time"]
        mine = self.found.get(tuple(row[name] for name in self.key), [])
        return sorted((one for one in mine if at - window <= one[0] < at), key=lambda one: one[0])

    def mean(self, row, window, of):
        found = [float(of(one)) for _, one in self.before(row, window)]
        return fmean(found) if found else None


def close(found, expected):
    assert [found[n] is None for n in range(len(found))] == [expected[n] is None for n in range(len(expected))]
    known = [(one, other) for one, other in zip(found, expected, strict=True) if one is not None]
    assert len(known) > 20
    assert [one for one, _ in known] == pytest.approx([other for _, other in known])


class TestAgainstPlainPython:
    def test_every_flight_that_arrived_is_labelled(self, seen, flown):
        arrived = {identity(one): one for one in flown if one["arr_delay"] is not None}
        assert len(flown) - len(arrived) > 100
        assert {which: row["late"] for which, row in seen.items()} == {
            which: one["arr_delay"] > 15 for which, one in arrived.items()
        }
        for which, row in seen.items():
            assert row["event_time"] == arrived[which]["scheduled_at"] - HOUR
            assert row["known_time"] == arrived[which]["arrived_at"]

    def test_what_it_brings_along(self, seen, flown):
        for one in flown:
            if (row := seen.get(identity(one))) is not None:
                local = date(one["year"], one["month"], one["day"])
                assert row["weekday"] == local.isoweekday()
                assert row["minute_of_day"] == one["sched_dep_time"] // 100 * 60 + one["sched_dep_time"] % 100
                assert [row[f"from_{code}"] for code in ("ewr", "jfk", "lga")] == [
                    one["origin"] == code for code in ("EWR", "JFK", "LGA")
                ]
                assert row["by_ua"] == (one["carrier"] == "UA")

    @pytest.mark.parametrize(
        ("name", "time", "key", "window", "of"),
        [
            ("airport_dep_delay_mean_1h", "departed_at", ["origin"], HOUR, lambda one: one["dep_delay"]),
            ("airport_dep_late_mean_3h", "departed_at", ["origin"], 3 * HOUR, lambda one: one["dep_delay"] > 15),
            ("carrier_airport_arr_delay_mean_3h", "arrived_at", ["origin", "carrier"], 3 * HOUR, None),
            ("destination_arr_delay_mean_1d", "arrived_at", ["dest"], DAY, None),
            ("number_arr_delay_mean_28d", "arrived_at", ["carrier", "flight", "origin"], 28 * DAY, None),
        ],
    )
    def test_means(self, some, flown, name, time, key, window, of):
        past = Past(flown, time, *key)
        found = [past.mean(row, window, of or (lambda one: one["arr_delay"])) for row in some]
        close([row[name] for row in some], found)

    @pytest.mark.parametrize(
        ("name", "time", "key", "window"),
        [
            ("airport_due_count_6h", "scheduled_at", "origin", 6 * HOUR),
            ("airport_count_2h", "departed_at", "origin", 2 * HOUR),
            ("plane_count_12h", "departed_at", "tailnum", 12 * HOUR),
        ],
    )
    def test_counts(self, some, flown, name, time, key, window):
        past = Past(flown, time, key)
        assert [row[name] or 0 for row in some] == [len(past.before(row, window)) for row in some]
        assert sum(row[name] or 0 for row in some) > 20

    def test_the_last_flight_of_the_plane(self, some, flown):
        past = Past(flown, "arrived_at", "tailnum")
        for row in some:
            at, last = (past.before(row, DAY) or [(None, {})])[-1]
            assert row["plane_arr_delay"] == last.get("arr_delay")
            assert row["plane_scheduled_minutes"] == last.get("scheduled_minutes")
            assert row["plane_minutes_since_arrival"] == (at and (row["event_time"] - at) / timedelta(minutes=1))
        assert sum(row["plane_arr_delay"] is not None for row in some) > 20

    def test_the_latest_weather_that_was_reported(self, work, some):
        reported = rows_of(work, next(group.source for group in VIEW.groups if group.name == "airport_weather"))
        for row in some:
            until = row["event_time"] - HOUR
            mine = [one for one in reported if one["origin"] == row["origin"] and one["time_hour"] <= until]
            last = max(mine, key=lambda one: one["time_hour"])
            fresh = until - last["time_hour"] <= 3 * HOUR
            assert row["weather_temp"] == (last["temp"] if fresh else None)
            assert row["weather_wind_dir"] == (last["wind_dir"] if fresh else None)


def changed(rows, time, *more):
    """Everything after THEN a minute later and a bit more."""
    # What is delivered of a moment is known when it is over: at THEN itself nothing is.
    later = pc.fill_null(pc.greater_equal(rows[time], pa.scalar(THEN, rows.schema.field(time).type)), False)  # noqa: FBT003
    for name in more:
        column = rows[name]
        one = pa.scalar(timedelta(minutes=1)) if pa.types.is_timestamp(column.type) else pa.scalar(1, column.type)
        new = pc.if_else(later, pc.add(column, one), column).cast(column.type)
        rows = rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), new)
    return rows


def test_another_future_changes_no_row_before_it(tmp_path, seen):
    work = landed(tmp_path)
    for key in SPAN.keys():
        for source, changes in (
            (flights, [("arrived_at", "arr_delay", "arrived_at"), ("departed_at", "dep_delay", "departed_at")]),
            (weather, [("time_hour", "temp")]),
        ):
            file = landing_file(source, key, work)
            rows = pq.read_table(file)
            for time, *more in changes:
                rows = changed(rows, time, *more)
            pq.write_table(rows, file)
    make_all(work, VIEW)
    other = {identity(row): row for row in rows_of(work, VIEW)}
    assert other.keys() == seen.keys()
    differ = [w for w, row in other.items() if any(row[name] != seen[w][name] for name in VIEW.feature_names)]
    before = [w for w in other if other[w]["event_time"] <= THEN]
    assert len(before) > 4_000
    assert set(before).isdisjoint(differ)
    assert len(differ) > 0.9 * (len(other) - len(before))


def test_a_few_days_are_enough_for_a_dataset_and_a_model(work):
    done = materialize_training_dataset(DATASET, str(LAST), work=work, made_by={})
    assert [found for found in done.findings if not found.passed and found.check.blocking] == []
    splits = {name: split_rows(DATASET, done.artifact, name) for name in ("train", "validation", "test")}
    assert all(len(rows.label) > 500 for rows in splits.values())
    model = replace(late_model, dataset=DATASET, tuner=TPE(trials=1))
    assert train(model, splits, progress=lambda _: None).search.best.score > 0.6
