"""Flights whose delay is known only when they arrive: the smallest label of single events."""

from datetime import date, timedelta

from platform_ml.features import Field
from platform_ml.formats import Parquet
from platform_ml.spec.event_label import Event, EventLabel
from platform_ml.spec.feature_group import Derived, FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.history import History
from platform_ml.spec.schema import Boolean, Column, Integer, Text, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily

flights = Source(
    name="flights",
    description="Invented.",
    format=Parquet(),
    columns=(
        Column("flight_id", Integer()),
        Column("plane", Integer()),
        Column("origin", Text()),
        Column("miles", Integer()),
        Column("booked_at", Timestamp()),
        Column("leaves_at", Timestamp()),
        Column("arrived_at", Timestamp(), nullable=True),
        Column("arr_delay", Integer(), nullable=True),
    ),
    key=("flight_id",),
    event_time="leaves_at",
    cadence=Daily(first=date(2024, 1, 1), last=date(2024, 12, 31)),
)

LATE = Derived(name="late", sql="arr_delay > 15", type=Boolean())

delayed = EventLabel(
    name="delayed",
    description="Whether a flight arrives late.",
    source=flights,
    entity="plane",
    event=Event(value="late", known="arrived_at", horizon_days=2, lead=timedelta(hours=1)),
    attributes=("miles",),
    carried=("origin", "booked_at"),
    derived=(LATE,),
)

landed = FeatureGroup(
    name="landed",
    description="How flights came in.",
    source=flights,
    entity="plane",
    cadence=flights.cadence,
    features=(Field(of="arr_delay"),),
    history=History(event_time="arrived_at", bound="<", late_days=2),
)

delay_view = FeatureView(name="delay_view", description="Flights.", label=delayed, features=(landed,))
