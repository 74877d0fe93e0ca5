"""The sources, features and labels of the athlete project on a small export made by hand."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import exp
from pathlib import Path

import pandas as pd
import pytest

from platform_ml import FeatureView
from platform_ml.engine.feed import landing_file
from platform_ml.engine.landing import deliver, deliver_export
from platform_ml.features import ExponentialMean
from platform_ml.orchestration.demo import land
from platform_ml.projects.athlete import athlete, features, sources
from platform_ml.spec.errors import SourceError
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily, Weekly
from platform_ml_tests.engine.rides import make
from platform_ml_tests.engine.shop import rows_of, work_in

EXPORT = Path(__file__).with_name("athlete_export")
DAYS = Daily(first=date(2022, 1, 1), last=date(2022, 3, 15))
SOURCES = {source.name: replace(source, cadence=source.cadence and DAYS) for source in athlete.all(Source)}
GROUPS = {
    group.name: replace(group, source=SOURCES[group.source.name], cadence=group.cadence and DAYS)
    for group in (features.training, features.recent_training, features.race_history, features.profile)
}
TIME = replace(features.target_time_seconds, source=SOURCES["race_results"])
LOAD = replace(
    features.next_week_load,
    source=SOURCES["activities"],
    cadence=Weekly(first=date(2022, 2, 13), last=date(2022, 2, 27)),
)
VIEW = FeatureView(
    name="race_view",
    description="Races at their start.",
    label=TIME,
    features=(GROUPS["training"], GROUPS["recent_training"], GROUPS["race_history"]),
    helpers=(GROUPS["profile"],),
)
RACE_DAYS = ["2022-02-06", "2022-02-20", "2022-03-06"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    work = work_in(tmp_path_factory.mktemp("athlete"))
    for name, source in SOURCES.items():
        count = deliver_export(source, EXPORT / f"{name}.csv", work=work)
        assert count == (74 if source.cadence else 1)
        assert make(work, source) == []
    for noun in (*GROUPS.values(), TIME, LOAD):
        assert make(work, noun) == []
    assert make(work, VIEW, RACE_DAYS) == []
    return work


@pytest.fixture(scope="module")
def told():
    """The activities that count, read without the platform."""
    rows = pd.read_csv(EXPORT / "activities.csv").drop_duplicates("Activity ID")
    rows = rows[rows["Activity Type"] != "Walk"]
    form = "%b %d, %Y, %I:%M:%S %p"
    for name in ("Activity Date", "Upload Date"):
        rows[name] = pd.to_datetime(rows[name], format=form)
    effort = rows["Perceived Exertion"].fillna(4)
    return rows.assign(day=rows["Upload Date"].dt.normalize(), load=(rows["Elapsed Time"] * effort / 60).round(1))


@pytest.fixture(scope="module")
def races(built):
    return {(row["race_id"], row["athlete_id"]): row for row in rows_of(built, VIEW)}


def test_an_export_comes_in_through_the_sources(built, told):
    rows = {row["activity_id"]: row for row in rows_of(built, SOURCES["activities"])}
    assert rows.keys() == set(told["Activity ID"])
    for row in told.to_dict("records"):
        found = rows[row["Activity ID"]]
        assert found["distance"] == round(1_000 * row["Distance"])
        assert found["sport"] == {"Run": "run", "Trail Run": "run", "Ride": "ride"}[row["Activity Type"]]
        assert found["started_at"] == row["Activity Date"].tz_localize("UTC")
        assert found["elevation"] == (None if pd.isna(row["Elevation Gain"]) else int(row["Elevation Gain"] + 0.5))
    results = rows_of(built, SOURCES["race_results"])
    assert [(row["status"], row["seconds"]) for row in results if row["race_id"] == 502 and row["athlete_id"] > 11] == [
        ("finished", 5_868),
        ("dq", None),
        ("dnf", None),
    ]


def test_training_load_is_that_of_pandas(built, told):
    rows = {
        (row["athlete_id"], row["event_time"].date()): row for row in rows_of(built, GROUPS["training"], ["2022-03-08"])
    }
    for who in (11, 12, 13):
        own = told[(told["Athlete ID"] == who) & (told["day"] <= "2022-03-08")]
        days = pd.date_range("2020-01-01", "2022-03-08")
        daily = own.groupby("day")["load"].sum().reindex(days, fill_value=0.0)
        row = rows[who, date(2022, 3, 9)]
        chronic = daily.ewm(alpha=1 - exp(-1 / 42), adjust=False).mean().iloc[-1]
        acute = daily.ewm(alpha=1 - exp(-1 / 7), adjust=False).mean().iloc[-1]
        assert row["ctl_42d"] * (1 - ExponentialMean(days=194, decay_days=42, of="load").left_out) == pytest.approx(
            chronic, rel=1e-4
        )  # loads are rounded to a tenth
        assert row["atl_7d"] == pytest.approx(acute, rel=0.02)
        assert row["acwr"] == pytest.approx(row["atl_7d"] / row["ctl_42d"])
        assert row["tsb"] == pytest.approx(row["ctl_42d"] - row["atl_7d"])
        weeks = (pd.Timestamp("2022-03-08") - own["day"]).dt.days // 7
        assert row["consistency_score"] == weeks[weeks < 6].nunique() / 6
        lately = own[own["day"] > "2022-01-25"]
        assert row["elevation_per_km"] == pytest.approx(
            (lately["Elevation Gain"].fillna(0) + 0.001).round().sum() / lately["Distance"].sum(), rel=1e-3
        )


def test_features_are_those_of_the_start_of_the_race(races, told):
    row = races[503, 11]
    start = pd.Timestamp("2022-03-06 10:00:00")
    runs = told[(told["Athlete ID"] == 11) & (told["Upload Date"] < start)]
    assert row["longest_run_km"] == runs[runs["Upload Date"] >= start - timedelta(days=42)]["Distance"].max()
    half = datetime(2022, 2, 20, 8, tzinfo=UTC) + timedelta(hours=1, minutes=58, seconds=20)
    assert row["days_since_last_race"] == pytest.approx((row["event_time"] - half) / timedelta(days=1))
    ten, worth = 52 * 60 + 41, round((3_600 + 58 * 60 + 20) * (10_000 / 21_098) ** 1.06)
    assert (row["last_equivalent_10k"], row["best_equivalent_10k"]) == (worth, min(ten, worth))
    assert races[501, 11]["best_equivalent_10k"] is None
    assert (row["gender"], races[503, 13]["gender"]) == ("female", None)


def test_what_was_mended_counts_from_then_on_only(races):
    # The 10 km, mended a week later; from the half marathon athlete 12 was disqualified before the next race.
    assert races[503, 12]["last_equivalent_10k"] == 44 * 60 + 15
    assert races[503, 12]["days_since_last_race"] > 27


def test_labels_are_the_last_truth(races):
    assert {key: row["target_time_seconds"] for key, row in races.items() if key[0] != 503} == {
        (501, 11): 52 * 60 + 41,
        (501, 12): 44 * 60 + 15,
        (501, 13): 3_600 + 3 * 60 + 10,
        (502, 11): 3_600 + 58 * 60 + 20,
    }


def test_next_weeks_load_is_what_follows(built, told):
    rows = [row for row in rows_of(built, LOAD) if row["event_time"].date() == date(2022, 2, 20)]
    after = told[(told["day"] >= "2022-02-20") & (told["day"] < "2022-02-27")].groupby("Athlete ID")["load"].sum()
    assert {row["athlete_id"]: row["next_week_load"] for row in rows} == pytest.approx(dict(after), abs=0.2)


def test_a_correction_changes_later_labels_and_never_an_earlier_version(tmp_path):
    work, source = work_in(tmp_path), SOURCES["race_results"]
    lines = (EXPORT / "race_results.csv").read_text().splitlines(keepends=True)
    later = [line for line in lines if line.strip().endswith(("2022-02-13 08:00:00", "2022-03-02 16:00:00"))]
    first = tmp_path / "first.csv"
    first.write_text("".join(line for line in lines if line not in later))
    versions = []
    for token, file in enumerate((first, EXPORT / "race_results.csv"), 1):
        deliver_export(source, file, work=work)
        assert make(work, source, RACE_DAYS, token=token) == []
        assert make(work, TIME, RACE_DAYS, token=token) == []
        versions.append(work.platform.tables.snapshot(work.table(TIME)))

    def times(snapshot):
        found = pd.concat(pd.read_parquet(path) for path in snapshot.paths())
        return {(r.race_id, r.athlete_id): r.target_time_seconds for r in found.itertuples()}

    before, after = map(times, versions)
    assert (before[501, 12], after[501, 12]) == (44 * 60 + 5, 44 * 60 + 15)
    assert before[502, 12] == 5_868
    assert (502, 12) not in after
    assert times(work.platform.tables.snapshot(work.table(TIME), version=versions[0].version)) == before


def test_rows_of_no_declared_day_are_refused(tmp_path):
    work, source = (
        work_in(tmp_path),
        replace(SOURCES["race_results"], cadence=Daily(first=DAYS.first, last=date(2022, 2, 14))),
    )
    with pytest.raises(SourceError, match=r"Of 11 rows 7 are of other days, from 2022-02-20 to 2022-03-06\."):
        deliver_export(source, EXPORT / "race_results.csv", work=work)
    assert not landing_file(source, "2022-02-06", work).exists()


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "activities",
            ("Athlete ID", "Who"),
            r"nothing in its header is 'athlete_id'\. Add such a column, or declare in",
        ),
        ("activities", ("Activity Type", "Kind"), "column 'Activity Type', which 'sport' is read from, is missing"),
        ("activities", (",", ";"), "column 'Activity Type', which 'sport' is read from, is missing"),
        (
            "activities",
            ("Mar 8, 2022, 7:40:45", "8. 3. 2022 7:40:45"),
            r"1 have no uploaded_at that can be read, like '\?8",
        ),
        ("athletes", ("Gender", "Sex"), None),
        ("athletes", ("Athlete ID", "Who"), "nothing in its header is 'athlete_id'"),
    ],
)
def test_an_export_that_does_not_fit_is_refused_by_what_is_wrong(tmp_path, name, change, said):
    work, file = work_in(tmp_path), tmp_path / f"{name}.csv"
    file.write_text((EXPORT / file.name).read_text().replace(*change))
    if said is None:  # what may be unknown of everybody may also not be there
        assert deliver_export(SOURCES[name], file, work=work) == 1
        return
    with pytest.raises(SourceError, match=said) as refused:
        deliver_export(SOURCES[name], file, work=work)
    assert str(file) in str(refused.value)
    assert "othing was delivered" in str(refused.value)


def test_of_an_export_with_a_file_that_does_not_fit_nothing_is_landed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    export = shutil.copytree(EXPORT, tmp_path / "export")
    (export / "athletes.csv").write_text("Who\n11\n")
    with pytest.raises(SourceError, match=r"athletes\.csv: nothing in its header is 'athlete_id'"):
        land(athlete, export)
    assert not [*tmp_path.glob("data/landing/**/*.csv")]


def test_garmins_list_is_read_by_its_clock_though_it_has_an_elapsed_time_too(tmp_path):
    work, file = work_in(tmp_path), tmp_path / "activities.csv"
    names = "Activity ID,Athlete ID,Activity Type,Date,Title,Distance,Calories,Time,Avg HR,Total Ascent,Elapsed Time"
    file.write_text(
        f'{names}\n1,11,Running,2022-01-05 07:01:22,"Lake, round",5.02,"1,412",00:31:40.5,148,--,00:32:02\n'
    )
    deliver_export(SOURCES["activities"], file, work=work)
    assert make(work, SOURCES["activities"], ["2022-01-05"]) == []
    (row,) = rows_of(work, SOURCES["activities"])
    assert (row["distance"], row["duration"], row["sport"], row["elevation"]) == (5_020, 1_901, "run", None)


def test_simulated_days_come_in_the_same_way(tmp_path):
    work, world = work_in(tmp_path), replace(sources.SIMULATED, athletes=60, last=date(2022, 1, 9))
    for name, source in SOURCES.items():
        small = replace(
            source,
            cadence=source.cadence and Daily(first=DAYS.first, last=world.last),
            example=replace(source.example, by=world),
        )
        assert deliver(small, work=work) == (9 if small.cadence else 1)
        assert deliver(small, work=work) == 0
        assert make(work, small) == []
        rows, made = rows_of(work, small), world.rows(name)
        assert len(rows) == len({tuple(row[key] for key in small.key) for row in rows}) > 3
        assert sum(row.get("distance", 0) for row in rows) == pytest.approx(
            sum(1_000 * row.get("Distance", row.get("Race Distance", 0)) for row in made.to_pylist()), rel=0.05
        )
