"""What is known of the weather, and of earlier flights: by airport, carrier, destination, flight number and plane."""

from dataclasses import replace
from datetime import timedelta

from platform_ml import Derived, FeatureGroup, History, Integer
from platform_ml import aggregations as agg
from platform_ml.features import Age, Exists, Field, Windowed
from platform_ml.projects.flights.sources import flights, planes, weather

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

LATE_AFTER = 15
"""From how many minutes on a flight counts as late: more than these."""

DEPARTED = History(event_time="departed_at", bound="<", late_days=1)
"""A flight that never left has no such moment, so it is not in this history."""
ARRIVED = History(event_time="arrived_at", bound="<", late_days=1)
LAST_DEPARTED = replace(DEPARTED, ttl=DAY, ties="last")
"""Delays are whole minutes and tail numbers have mistakes: a plane may seem to be in two places at once."""
LAST_ARRIVED = replace(ARRIVED, ttl=DAY, ties="last")

left_late = Derived(
    name="dep_late", sql=f"CAST(dep_delay > {LATE_AFTER} AS BIGINT)", type=Integer(), description="1 if it left late."
)
came_late = Derived(
    name="arr_late", sql=f"CAST(arr_delay > {LATE_AFTER} AS BIGINT)", type=Integer(), description="1 if it came late."
)

dep_delay, dep_late = agg.Mean(of="dep_delay"), agg.Mean(of="dep_late")
arr_delay, arr_late = agg.Mean(of="arr_delay"), agg.Mean(of="arr_late")

airport_weather = FeatureGroup(
    name="airport_weather",
    description="The latest hour that the station at the airport has reported, unless that was long ago.",
    source=weather,
    entity="origin",
    cadence=weather.cadence,
    features=tuple(
        Field(of=name) for name in ("temp", "dewp", "wind_speed", "wind_dir", "precip", "visib", "pressure")
    ),
    history=History(delay=HOUR, ttl=3 * HOUR),
)

airport_schedule = FeatureGroup(
    name="airport_schedule",
    description="How many flights should have left an airport: more than did leave are a backlog.",
    source=flights,
    entity="origin",
    cadence=flights.cadence,
    features=Windowed.over(2 * HOUR, 6 * HOUR, how=agg.Count()),
    history=History(bound="<"),
)

airport_departures = FeatureGroup(
    name="airport_departures",
    description="Flights that left an airport lately: how many, and how late.",
    source=flights,
    entity="origin",
    cadence=flights.cadence,
    derived=(left_late,),
    features=(
        *Windowed.over(HOUR, 3 * HOUR, how=dep_delay),
        *Windowed.over(HOUR, 3 * HOUR, how=dep_late),
        *Windowed.over(2 * HOUR, 6 * HOUR, how=agg.Count()),
    ),
    history=DEPARTED,
)

airport_arrivals = FeatureGroup(
    name="airport_arrivals",
    description="How late those came that left an airport and have arrived lately.",
    source=flights,
    entity="origin",
    cadence=flights.cadence,
    features=Windowed.over(HOUR, 3 * HOUR, how=arr_delay),
    history=ARRIVED,
)

carrier_departures = FeatureGroup(
    name="carrier_departures",
    description="How late a carrier's flights left lately, from any of the airports.",
    source=flights,
    entity="carrier",
    cadence=flights.cadence,
    features=Windowed.over(3 * HOUR, how=dep_delay),
    history=DEPARTED,
)

carrier_airport_departures = FeatureGroup(
    name="carrier_airport_departures",
    description="How late a carrier's flights left one airport lately.",
    source=flights,
    entity=("origin", "carrier"),
    cadence=flights.cadence,
    features=Windowed.over(3 * HOUR, how=dep_delay),
    history=DEPARTED,
)

carrier_airport_arrivals = FeatureGroup(
    name="carrier_airport_arrivals",
    description="How late a carrier's flights from one airport arrived lately.",
    source=flights,
    entity=("origin", "carrier"),
    cadence=flights.cadence,
    features=Windowed.over(3 * HOUR, DAY, how=arr_delay),
    history=ARRIVED,
)

destination_arrivals = FeatureGroup(
    name="destination_arrivals",
    description="How late flights from New York came to a destination lately.",
    source=flights,
    entity="dest",
    cadence=flights.cadence,
    features=Windowed.over(3 * HOUR, DAY, how=arr_delay),
    history=ARRIVED,
)

number_arrivals = FeatureGroup(
    name="number_arrivals",
    description="How late a flight number usually came, from the same airport.",
    source=flights,
    entity=("carrier", "flight", "origin"),
    cadence=flights.cadence,
    derived=(came_late,),
    features=(*Windowed.over(28 * DAY, how=arr_delay), *Windowed.over(28 * DAY, how=arr_late)),
    history=ARRIVED,
)

plane_departures = FeatureGroup(
    name="plane_departures",
    description="How a plane last left New York, and how often it did within half a day.",
    source=flights,
    entity="tailnum",
    cadence=flights.cadence,
    features=(
        Age(called="minutes_since_departure"),
        Field(of="dep_delay"),
        *Windowed.over(12 * HOUR, how=agg.Count()),
    ),
    history=LAST_DEPARTED,
)

plane_arrivals = FeatureGroup(
    name="plane_arrivals",
    description="How a plane's last flight from New York came in: whether it can be back in time follows from that.",
    source=flights,
    entity="tailnum",
    cadence=flights.cadence,
    features=(Age(called="minutes_since_arrival"), Field(of="arr_delay"), Field(of="scheduled_minutes")),
    history=LAST_ARRIVED,
)

plane_register = FeatureGroup(
    name="plane_register",
    description="Whether a plane is in the register: without time, so only for slices.",
    source=planes,
    entity="tailnum",
    features=(Exists(called="plane_registered"),),
)
