"""Rides of taxis: events whose outcome is known later, written by hand, and the steps that they go through."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from platform_ml.adapters.delta import DeltaTables
from platform_ml.aggregations import Count, Mean
from platform_ml.engine.feature_group import materialize_feature_group
from platform_ml.engine.feature_view import materialize_feature_view
from platform_ml.engine.labels import materialize
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.source import materialize_source
from platform_ml.features import Exists, Field, Windowed
from platform_ml.formats import Parquet
from platform_ml.spec.event_label import Event, EventLabel
from platform_ml.spec.feature_group import Derived, FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.history import History
from platform_ml.spec.schema import Boolean, Column, Integer, Text, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.window import Daily
from platform_ml.splitters import ByTime
from platform_ml.testing import declarations as small
from platform_ml_tests.engine.shop import rows_of, stamp, work_in, write

FIRST, LAST = date(2024, 3, 1), date(2024, 3, 10)

rides = Source(
    name="rides",
    description="Rides, delivered by the day on which they begin.",
    format=Parquet(),
    columns=(
        Column("ride_id", Integer()),
        Column("car", Text(), nullable=True),
        Column("driver", Integer(), nullable=True),
        Column("origin", Text(), nullable=True),
        Column("destination", Text(), nullable=True),
        Column("leaves_at", Timestamp()),
        Column("arrives_at", Timestamp(), nullable=True),
        Column("kilometres", Integer(), nullable=True),
        Column("told_at", Timestamp(), nullable=True),
        Column("number", Integer(), nullable=True),
        Column("until", Timestamp(), nullable=True),
        Column("gone", Boolean(), nullable=True),
    ),
    key=("ride_id",),
    event_time="leaves_at",
    cadence=Daily(first=FIRST, last=LAST),
)
places = Source(
    name="places",
    description="Where rides begin and end.",
    format=Parquet(),
    columns=(Column("origin", Text()), Column("district", Integer(), nullable=True)),
    key=("origin",),
)
arrivals = FeatureGroup(
    name="arrivals",
    description="Rides of a car, usable when they are over.",
    source=rides,
    entity="car",
    cadence=rides.cadence,
    features=(Field(of="kilometres", called="last_km"), Field(of="origin", called="came_from"), Exists(called="rode")),
    history=History(event_time="arrives_at", bound="<", late_days=1),
)
recent = replace(
    arrivals,
    name="recent",
    features=Windowed.over(timedelta(hours=6), how=Count()) + Windowed.over(timedelta(days=2), how=Mean(of="minutes")),
    derived=(Derived(name="minutes", sql="date_diff('minute', leaves_at, arrives_at)", type=Integer()),),
)
late = EventLabel(
    name="late",
    description="Whether a ride takes longer than an hour.",
    source=rides,
    entity="car",
    event=Event(value="slow", known="arrives_at", horizon_days=2, lead=timedelta(hours=2)),
    attributes=("kilometres",),
    carried=("driver", "origin", "destination", "told_at"),
    derived=(Derived(name="slow", sql="date_diff('minute', leaves_at, arrives_at) > 60", type=Boolean()),),
)
late_view = FeatureView(
    name="late_view",
    description="Rides two hours before they begin.",
    label=late,
    features=(
        replace(arrivals, history=replace(arrivals.history, ttl=timedelta(days=2))),
        recent,
    ),
)


def project_of(view):
    """A project whose only model is trained on this view."""
    dataset = TrainingDataset(
        name="late_dataset",
        description="Days up to a cutoff.",
        view=view,
        splitter=ByTime(validation_days=1),
        history_days=9,
        windows_may_overlap="The town is small.",
    )
    model = replace(small.lapse_model, dataset=dataset, baselines=small.lapse_model.baselines[1:])
    evaluation = replace(small.lapse_evaluation, model=model, slices=("origin",))
    card = replace(small.lapse_card, evaluation=evaluation)
    return replace(
        small.shop,
        outputs=(replace(small.lapse, card=card, gates=small.lapse.gates[:1]),),
        demo_cutoff=LAST,
    )


RIDE = pa.schema(
    {
        name: {"BIGINT": pa.int64(), "VARCHAR": pa.string(), "BOOLEAN": pa.bool_()}.get(kind.sql, pa.timestamp("us"))
        for name, kind in rides.types.items()
    }
)


def at(day, hour=0, minute=0, **more):
    """A moment in March 2024."""
    return datetime(2024, 3, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour, minutes=minute, **more)


def ride(which, leaves, arrives=None, car="a", **more):
    """What is delivered of one ride."""
    times = {"leaves_at": leaves, "arrives_at": arrives} | more
    plain = {
        name: value.replace(tzinfo=None) if isinstance(value, datetime) else value for name, value in times.items()
    }
    return {"ride_id": which, "car": car} | plain


@dataclass
class Clock:
    """The time, as it is told."""

    now: datetime = datetime(2024, 6, 1, tzinfo=UTC)

    def __call__(self):
        return self.now


@dataclass
class Recorded:
    """Compute that remembers which files it was asked to read."""

    compute: object
    read: list = field(default_factory=list)

    def query(self, sql, inputs):
        self.read += [path for given in inputs.values() for path in getattr(given, "paths", ())]
        return self.compute.query(sql, inputs)

    def partitions(self, work, noun):
        """The partitions of a table that were read."""
        folder = f"{work.table(noun)}/_partition="
        return sorted({path.split(folder)[1].split("/")[0] for path in self.read if folder in path})


def rides_in(folder, *, clock=None, threads=2, say=lambda _: None):
    """An empty platform, whose commits are made when the clock says."""
    work = work_in(folder, threads=threads, say=say)
    recorded = Recorded(work.platform.compute)
    tables = DeltaTables(folder / "tables", clock=clock) if clock else work.platform.tables
    return replace(work, platform=replace(work.platform, tables=tables, compute=recorded))


def deliver(work, *found, source=rides, days=None):
    """One file a day, with what leaves then; a day without has an empty one."""
    for key in days or source.cadence.keys():
        there = [one for one in found if str(one["leaves_at"].date()) == key]
        write(work, source, key, pa.Table.from_pylist(there, schema=RIDE))


def deliver_places(work, **districts):
    there = [{"origin": name, "district": number} for name, number in districts.items()]
    write(
        work,
        places,
        WHOLE,
        pa.Table.from_pylist(there, schema=pa.schema({"origin": pa.string(), "district": pa.int64()})),
    )


def make(work, noun, keys=None, *, token=1):
    """Materialize partitions of anything up to a view; what a check says against it."""
    steps = {Source: materialize_source, FeatureGroup: materialize_feature_group, FeatureView: materialize_feature_view}
    cadence = noun.label.cadence if isinstance(noun, FeatureView) else noun.cadence
    keys = keys or (cadence.keys() if cadence else [WHOLE])
    done = steps.get(type(noun), materialize)(noun, keys, work=work, stamp=stamp(token, fingerprint(noun)))
    return [found for one in done for found in one.stopped]


def make_all(work, view=late_view, *, keys=None):
    """From delivered files to the view."""
    for noun in dict.fromkeys((view.label.source, *(group.source for group in view.groups), *view.groups, view.label)):
        assert make(work, noun) == []
    assert make(work, view, keys) == []


def view_rows(work, view=late_view, *, of=None):
    """Ride → the row of the view, or one column of it."""
    return {row["ride_id"]: row[of] if of else row for row in rows_of(work, view)}


def seen(work, *groups, label=late, knowledge=None, **more):
    """Ride → what a view of these groups says of it."""
    view = FeatureView(
        name="seen",
        description="A view.",
        label=label,
        features=groups,
        **({"knowledge": knowledge} if knowledge else {}),
        **more,
    )
    for group in view.groups:
        assert make(work, group) == []
    assert make(work, label) == []
    assert make(work, view) == []
    return {number: {name: row[name] for name in view.joined} for number, row in view_rows(work, view).items()}
