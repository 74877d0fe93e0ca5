from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from platform_ml.simulators import AthleteSeasons
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.source import DAY
from platform_ml.testing.simulators import SimulatorContract

SMALL = AthleteSeasons(athletes=230, last=date(2022, 8, 31))


@pytest.fixture(scope="module")
def tables():
    return {name: SMALL.rows(name).to_pandas() for name in SMALL.tables}


class TestAthleteSeasons(SimulatorContract):
    @pytest.fixture
    def simulator(self):
        return replace(SMALL, athletes=15)

    @pytest.mark.parametrize("table", ["activities", "race_results"])
    def test_more_athletes_or_more_days_change_no_row(self, table):
        rows = SMALL.rows(table)
        fewer = replace(SMALL, athletes=17).rows(table)
        assert fewer.equals(rows.filter(pc.less_equal(rows["Athlete ID"], 17)))
        shorter = replace(SMALL, last=date(2022, 5, 14))
        day = (shorter.last - date(1970, 1, 1)).days
        assert shorter.rows(table).equals(rows.filter(pc.less_equal(rows[DAY], day)))

    def test_another_seed_makes_another_world(self, simulator):
        assert not replace(simulator, seed=8).rows("activities").equals(simulator.rows("activities"))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"athletes": 0}, "AthleteSeasons: 0 athletes do nothing"),
            ({"last": date(2021, 12, 31)}, "no seasons lie between 2022-01-01 and 2021-12-31"),
            ({"first": date(1969, 1, 1)}, "a first after 1970-01-01"),
            ({"seed": -1}, "AthleteSeasons: seed -1 is negative"),
        ],
    )
    def test_a_wrong_one_cannot_be_made(self, changes, message):
        with pytest.raises(DeclarationError, match=message):
            replace(SMALL, **changes)


def test_athletes_are_as_they_are_said_to_be():
    found = replace(SMALL, athletes=1_000, last=SMALL.first).rows("athletes").to_pandas()
    assert list(found["Athlete ID"]) == list(range(1, 1_001))
    assert 0.72 < (found["Gender"] == "male").mean() < 0.78
    assert found["Year of Birth"].between(2022 - 75, 2022 - 18).all()


def test_activities_have_the_faults_of_real_ones(tables):
    rows = tables["activities"]
    assert set(rows["Activity Type"]) == {"Run", "Ride", "Swim"}
    assert 0.001 < rows.duplicated("Activity ID").mean() < 0.01
    assert rows.duplicated("Activity ID").sum() == rows.duplicated().sum()
    assert 0.1 < rows["Average Heart Rate"].isna().mean() < 0.35
    assert 0.06 < rows["Perceived Exertion"].isna().mean() < 0.10
    waited = rows["Upload Date"] - rows["Activity Date"]
    assert (waited > timedelta(seconds=0)).all()
    assert 0.02 < (waited > timedelta(days=1)).mean() < 0.04
    assert waited.max() < timedelta(days=11)
    assert ((rows["Upload Date"] - rows["Upload Date"].min().normalize()).dt.days == rows[DAY] - rows[DAY].min()).all()
    runs = rows[rows["Activity Type"] == "Run"]
    assert 4 < (runs["Elapsed Time"] / 60 / runs["Distance"]).median() < 7


def test_results_are_mended_and_taken_away_later(tables):
    rows = tables["race_results"]
    assert set(rows["Status"]) == {"finished", "DNF", "DQ"}
    assert (rows["Finish Time"].isna() == (rows["Status"] != "finished")).all()
    assert (rows["Published"] > rows["Start"]).all()
    twice = rows[rows.duplicated(["Race ID", "Athlete ID"], keep=False)].sort_values("Published")
    pairs = twice.groupby(["Race ID", "Athlete ID"])
    assert 0.01 < pairs.ngroups / len(rows) < 0.035
    assert (pairs.size() == 2).all()
    first, second = pairs.first(), pairs.last()
    assert ((second["Published"] - first["Published"]) <= timedelta(days=28)).all()
    assert (pairs.nth(0)["Status"] == "finished").all()
    assert {"finished", "DQ"} == set(pairs.nth(1)["Status"])


def test_what_was_told_by_a_day_is_the_beginning_of_what_is_told_now():
    now = SMALL.rows("race_results")
    then = replace(SMALL, told_by=date(2022, 5, 1)).rows("race_results")
    published = pc.less(now["Published"], pa.scalar(date(2022, 5, 1), pa.date32()).cast(pa.timestamp("s")))
    assert then.equals(now.filter(published))
    assert then.num_rows < now.num_rows
