from dataclasses import replace

import pytest

from platform_ml.formats import ACTIVITY_EXPORTS, CSV
from platform_ml.formats.activity import SPORTS, sport_of
from platform_ml.projects.athlete.sources import activities
from platform_ml_tests.formats.test_reading import found  # noqa: F401 - a fixture

STRAVA = (
    "Activity ID,Activity Date,Activity Name,Activity Type,Elapsed Time,Distance,Elevation Gain,Average Heart Rate,"
    "Athlete ID"
)
GARMIN = "Activity ID,Athlete ID,Activity Type,Date,Title,Distance,Time,Avg HR,Total Ascent"


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (STRAVA, '77,"Jan 5, 2022, 6:30:00 PM",Evening,Trail Run,3723,10.52,120.0,151.0,5'),
        (GARMIN, "77,5,Trail Running,2022-01-05 18:30:00,Evening,10.52,01:02:03,151,120"),
    ],
    ids=["Strava", "Garmin"],
)
def test_exports_of_platforms_become_the_same_row(found, header, line):  # noqa: F811
    source = replace(activities, cadence=None, event_time=None, example=None)
    row = found(header, line, source=source).accepted.to_pylist()[0]
    assert (row["activity_id"], row["athlete_id"], row["sport"]) == (77, 5, "run")
    assert (row["duration"], row["distance"], row["elevation"], row["heart_rate"]) == (3_723, 10_520, 120, 151)
    assert f"{row['started_at']:%Y-%m-%d %H:%M}" == f"{row['uploaded_at']:%Y-%m-%d %H:%M}" == "2022-01-05 18:30"
    assert row["effort"] is None


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("running", "run"),
        ("Biking", "ride"),
        ("lap_swimming", None),
        ("open_water_swimming", "swim"),
        (" Ride ", "ride"),
    ],
)
def test_words_of_devices(word, ours):
    assert sport_of(word) == ours


def test_every_word_has_one_meaning():
    words = [word for some in SPORTS.values() for word in some]
    assert len(words) == len(set(words))
    assert CSV(reads=ACTIVITY_EXPORTS).reads[0].column == "sport"
