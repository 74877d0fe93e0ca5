"""Files of suppliers who call, measure and write columns in their own way."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal as Exact

import pytest

from platform_ml.engine.delivery import read
from platform_ml.engine.feed import landing_file
from platform_ml.engine.ports import WHOLE
from platform_ml.formats import CSV, Read
from platform_ml.spec.errors import DeclarationError, SourceError
from platform_ml.spec.schema import Column, Decimal, Double, Integer, Text, Timestamp
from platform_ml.spec.source import Source
from platform_ml.testing.formats import work_in

READS = (
    Read("sport", "Activity Type", values=(("Run", "run"), ("Trail Run", "run"), ("Ride", "ride"))),
    Read("started_at", "Date", forms=("%d/%m/%Y %H:%M", "%b %d, %Y, %I:%M:%S %p"), zone="Europe/Berlin"),
    Read("distance", "Distance (km)", unit="km"),
    Read("distance", "Distance (mi)", unit="mi"),
    Read("duration", "Elapsed Time", unit="h:mm:ss"),
    Read("speed", "Speed", unit="km/h", may_miss=True),
)
rides = Source(
    name="rides",
    description="Who went how far.",
    format=CSV(nulls=("", "--"), reads=READS),
    columns=(
        Column("n", Integer()),
        Column("sport", Text(), allowed=("run", "ride")),
        Column("started_at", Timestamp()),
        Column("distance", Integer(), unit="m", minimum=0),
        Column("duration", Decimal(9, 1), unit="s"),
        Column("speed", Double(), unit="m/s", nullable=True),
    ),
    key=("n",),
    max_rejected_share=1.0,
)
HEADER = "n,Activity Type,Date,Distance (km),Elapsed Time,Speed"


@pytest.fixture
def found(tmp_path):
    """What is read of a file with these lines."""

    def of(*lines, source=rides):
        work = work_in(tmp_path)
        file = landing_file(source, WHOLE, work)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{line}\n" for line in lines))
        return read(source, WHOLE, work=work)

    return of


def test_names_units_times_and_words_become_those_of_the_source(found):
    delivery = found(
        HEADER,
        "1,Run,05/01/2024 18:30,10.5216,1:02:03,36",
        '2,Trail Run,"Jul 5, 2024, 6:30:00 PM",0.0125,45:12.5,--',
        "3,Ride,28/07/2024 00:10,--,100:00:00,fast",
    )
    rows = delivery.accepted.to_pylist()
    assert [row["reasons"] for row in delivery.rejected.to_pylist()] == ["distance is null; speed is not a DOUBLE"]
    assert [row["sport"] for row in rows] == ["run", "run"]
    # Winter and summer by the clock of Berlin.
    expected = [datetime(2024, 1, 5, 17, 30, tzinfo=UTC), datetime(2024, 7, 5, 16, 30, tzinfo=UTC)]
    assert [row["started_at"] for row in rows] == expected
    assert [row["distance"] for row in rows] == [10_522, 13]
    assert [row["duration"] for row in rows] == [Exact("3723.0"), Exact("2712.5")]
    assert [row["speed"] for row in rows] == [pytest.approx(10), None]


def test_the_first_way_that_is_there_counts_and_what_may_miss_is_null(found):
    rows = found("n,Activity Type,Date,Distance (mi),Elapsed Time", "1,Run,05/01/2024 18:30,26.2188,3:59:59").accepted
    assert rows["distance"].to_pylist() == [42_195]
    assert rows["speed"].to_pylist() == [None]


def test_a_file_in_the_words_of_the_source_is_read_as_it_is(found):
    rows = found("n,sport,started_at,distance,duration,speed", "1,run,2024-01-05 18:30:00,10522,3723.5,2.5").accepted
    assert rows.to_pylist() == [
        {
            "n": 1,
            "sport": "run",
            "started_at": datetime(2024, 1, 5, 18, 30, tzinfo=UTC),
            "distance": 10_522,
            "duration": Exact("3723.5"),
            "speed": 2.5,
        }
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,Walk,05/01/2024 18:30,10,1:02:03,", "sport is none of run, ride"),
        ("1,Run,2024-01-05 18:30:00,10,1:02:03,", "started_at is not a TIMESTAMPTZ"),
        ("1,Run,31/02/2024 18:30,10,1:02:03,", "started_at is not a TIMESTAMPTZ"),
        ("1,Run,05/01/2024 18:30,10 km,1:02:03,", "distance is not a BIGINT"),
        ("1,Run,05/01/2024 18:30,-10,1:02:03,", "distance is below 0"),
        ("1,Run,05/01/2024 18:30,10,3723,", "duration is not a DECIMAL(9,1)"),
        ("1,Run,05/01/2024 18:30,10,1:62:03,", "duration is not a DECIMAL(9,1)"),
        ("x,Run,05/01/2024 18:30,10,1:02:03,", "n is not a BIGINT"),
    ],
)
def test_what_cannot_become_a_value_is_rejected_with_the_row_as_it_was_delivered(found, line, reason):
    rejected = found(HEADER, line).rejected.to_pylist()
    assert [row["reasons"] for row in rejected] == [reason]
    assert json.loads(rejected[0]["record"]) == dict(
        zip(HEADER.split(","), [value or None for value in line.split(",")], strict=True)
    )


def test_numbers_may_have_a_decimal_comma(found):
    source = replace(rides, format=CSV(delimiter=";", decimal=",", reads=READS))
    line = "1;Ride;05/01/2024 18:30;10,52;1:02:03;36,5"
    assert found(HEADER.replace(",", ";"), line, source=source).accepted["distance"].to_pylist() == [10_520]


def test_a_broken_record_is_kept_beside_those_that_are_read(found):
    delivery = found(HEADER, "1,Run,05/01/2024 18:30,10", "2,Run,05/01/2024 18:30,10,1:02:03,")
    assert delivery.accepted["n"].to_pylist() == [2]
    assert delivery.rejected["reasons"].to_pylist() == ["the row has 4 values, not 6"]


def test_a_missing_column_refuses_the_file(found):
    what = r"column 'Elapsed Time', which 'duration' is read from, is missing\. Did you mean 'Elapsed time'\?"
    with pytest.raises(SourceError, match=what):
        found(HEADER.replace("Elapsed Time", "Elapsed time"), "1,Run,05/01/2024 18:30,10,1:02:03,")
    what = r"column 'Distance \(km\)' or 'Distance \(mi\)', which 'distance' is read from, is missing"
    with pytest.raises(SourceError, match=what):
        found("n,Activity Type,Date,Elapsed Time", "1,Run,05/01/2024 18:30,1:02:03")
    with pytest.raises(SourceError, match="column 'n' is missing"):
        found(HEADER.replace("n,", "number,", 1), "1,Run,05/01/2024 18:30,10,1:02:03,")


def test_a_name_may_be_there_again_where_that_is_declared(found):
    header = HEADER + "," + HEADER.split(",")[3]
    line = "1,Ride,05/01/2024 18:30,10,1:02:03,,11"
    with pytest.raises(SourceError, match=r"column twice.*declare CSV"):
        found(header, line)
    again = Read("distance", f"{HEADER.split(',')[3]} (2)", unit="km")
    source = replace(rides, format=CSV(reads=(again, *READS), repeats=True))
    broken = "2,Ride,05/01/2024 18:30,10"
    delivery = found(header, line, broken, source=source)
    assert delivery.accepted["distance"].to_pylist() == [11_000]
    assert delivery.rejected["reasons"].to_pylist() == ["the row has 4 values, not 7"]


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (Read("distanse", "D"), r"'rides' has no column 'distanse'\. Did you mean 'distance'\?"),
        (Read("distance", "D", unit="kms"), r"'D' for 'distance': unit 'kms' is not known\. Did you mean 'km'\?"),
        (Read("distance", "D", unit="h"), "'h' cannot be told in 'm'"),
        (Read("sport", "S", unit="km"), "'S' for 'sport' is in km: declare the column as a number with a unit"),
        (Read("n", "N", unit="km"), "'N' for 'n' is in km: declare the column as a number with a unit"),
        (Read("n", "N", forms=("%Y",)), "'N' for 'n' has forms of times, but the column is BIGINT"),
        (Read("started_at", "T", zone="Europe/Berlin"), "a zone needs the forms that times are written in"),
        (Read("started_at", "T", forms=("%Y",), zone="Berlin"), "zone 'Berlin' is not known"),
        (Read("n", "N", values=(("one", "1"),)), "'N' for 'n' has words, but the column is BIGINT"),
        (Read("sport", "S", values=(("Walk", "walk"),)), "'S' for 'sport' has no allowed value 'walk'"),
        (Read("n", "N", may_miss=True), "'N' for 'n' may miss, but the column is not nullable"),
    ],
)
def test_a_wrong_reading_cannot_be_declared(read, message):
    with pytest.raises(DeclarationError, match=message):
        replace(rides, format=CSV(reads=(read,)))


def test_columns_without_names_cannot_be_read_by_them():
    with pytest.raises(DeclarationError, match="CSV: without a header columns have no names to be read by"):
        CSV(header=False, reads=READS)
