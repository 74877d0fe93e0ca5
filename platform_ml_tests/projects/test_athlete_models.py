"""The athlete project end to end from files to cards: on simulated athletes, and on the export of a club."""

import json
import shutil
from dataclasses import fields, is_dataclass, replace
from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.engine import card_artifact, evaluation, training_dataset, tuned_model
from platform_ml.engine.cutoff import held_back, model_path
from platform_ml.engine.landing import deliver
from platform_ml.engine.quarantine import rejected_rows
from platform_ml.families import Recurrent, XGBoost
from platform_ml.orchestration.build import project_assets
from platform_ml.orchestration.demo import land
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.projects.athlete import athlete
from platform_ml.projects.athlete.models import FLOOR, LIMITS
from platform_ml.projects.athlete.sources import SIMULATED
from platform_ml.spec.evaluation import Evaluation
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.label import Label
from platform_ml.spec.registration import Registration
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily, Monthly, Weekly
from platform_ml.splitters import ByTime
from platform_ml.tuners import TPE
from platform_ml_tests.engine.rides import make

EXPORT = Path(__file__).with_name("athlete_club")
WORLD = replace(SIMULATED, athletes=160, first=date(2022, 5, 1), last=date(2022, 12, 31))
SMALL = {
    type(SIMULATED): lambda _: WORLD,
    Daily: lambda _: Daily(first=WORLD.first, last=WORLD.last),
    Weekly: lambda _: Weekly(first=date(2022, 8, 7), last=date(2022, 12, 18)),
    Monthly: lambda _: Monthly(first=date(2023, 1, 1), last=date(2023, 1, 1)),
    ByTime: lambda one: replace(one, validation_days=min(one.validation_days, 60)),
    TPE: lambda one: replace(one, trials=1),
    XGBoost: lambda one: replace(one, max_rounds=40),
    Recurrent: lambda one: replace(one, width=4, max_epochs=1),
    Evaluation: lambda one: replace(one, resamples=100, min_rows=1),
}


def shrunk(value, made):
    """The same declarations over less time, of fewer athletes, with short searches."""
    if isinstance(value, tuple):
        return tuple(shrunk(one, made) for one in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    if id(value) not in made:
        inner = {f.name: shrunk(getattr(value, f.name), made) for f in fields(value) if f.init}
        changed = {name: one for name, one in inner.items() if one is not getattr(value, name)}
        one = replace(value, **changed) if changed else value
        made[id(value)] = SMALL.get(type(value), lambda it: it)(one)
    return made[id(value)]


PROJECT = shrunk(athlete.demo, {})
RACES, LOAD, PATTERNS = PROJECT.all(Registration)


class Club:
    """A data folder, and what was made in it of files that were landed there."""

    def __init__(self, folder, land, registrations):
        self.folder, self.platform = folder, PlatformResource(data=str(folder / "data"))
        self.work = self.platform.work("athlete", lambda _: None)
        land(self.work)
        views = {one.card.evaluation.model.dataset.view for one in registrations}
        labels = {view.label for view in views}
        for kind in (Source, FeatureGroup, EventLabel, Label, FeatureView):
            for noun in PROJECT.all(kind):
                if kind in (Source, FeatureGroup) or noun in views | labels:
                    assert make(self.work, noun) == [], noun.name
        assets, self.ran = list(project_assets(PROJECT)), {}
        with dg.DagsterInstance.ephemeral(str(folder)) as instance:
            for registration in registrations:
                nouns = model_path(registration)
                self.ran[registration.name] = dg.materialize(
                    assets,
                    selection=[dg.AssetKey(["athlete", noun.name]) for noun in nouns],
                    partition_key=self.cutoff(registration),
                    resources={"platform": self.platform},
                    instance=instance,
                    raise_on_error=False,
                )

    @staticmethod
    def cutoff(registration):
        return registration.card.evaluation.model.dataset.cadence.keys()[-1]

    def result(self, registration):
        return evaluation.load(registration.card.evaluation, self.cutoff(registration), work=self.work)

    def card(self, registration):
        return card_artifact.load(registration.card, self.cutoff(registration), work=self.work).folder

    def published(self, registration):
        """The model as it was published, and the rows that it was judged on."""
        model, cutoff = registration.card.evaluation.model, self.cutoff(registration)
        artifact = tuned_model.load(model, cutoff, work=self.work)
        dataset = training_dataset.load(model.dataset, cutoff, work=self.work)
        return (
            artifact.folder,
            tuned_model.fitted(model, artifact)[0],
            training_dataset.split_rows(model.dataset, dataset, "test").features,
        )


@pytest.fixture(scope="module")
def club(tmp_path_factory):
    def simulated(work):
        for source in PROJECT.all(Source):
            deliver(source, work=work)

    return Club(tmp_path_factory.mktemp("athlete"), simulated, (RACES, LOAD, PATTERNS))


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The export in place of simulated data."""
    folder = tmp_path_factory.mktemp("real")

    def landed(work):
        for source in PROJECT.all(Source):
            deliver(source, work=work)
        with pytest.MonkeyPatch.context() as patched:
            patched.chdir(folder)
            land(PROJECT, EXPORT)

    return Club(folder, landed, (RACES,))


def test_the_project_itself_is_short():
    folder = Path(__file__).parents[2] / "platform_ml/projects/athlete"
    assert sum(len(file.read_text().splitlines()) for file in folder.glob("*.py")) <= 250


def test_limits_are_the_noise_floor_times_what_was_asked_for_at_10_km():
    assert LIMITS["10k"] == 180
    assert {race: limit / 60 / FLOOR[race] for race, limit in LIMITS.items()} == pytest.approx(
        dict.fromkeys(FLOOR, 3.0 / 0.90), rel=0.01
    )


def test_race_times_are_learned_with_ranges(club):
    result = club.result(RACES)
    assert {one.value for one in result.slices if one.column == "race"} == {"5k", "10k", "half", "marathon"}
    assert {"gender", "born", "running_share"} < {one.column for one in result.slices}
    assert result.test("mae").value < 1_800  # half an hour: some dozens of races to learn from
    assert 0.5 < result.intervals.covered.value <= 1
    assert result.baselines.keys() == {"riegel", "last_race", "even_pace"}
    verdicts = {verdict.gate: verdict for verdict in RACES.judge(result)}
    assert verdicts["slices_mae_at_most_by_race"].parts


def test_next_weeks_load_and_patterns_are_learned_by_the_same_nouns(club):
    load, patterns = club.result(LOAD), club.result(PATTERNS)
    assert load.test("mae").value < load.baselines["last_week"].metrics["mae"].value
    assert patterns.clusters.resamples >= 10
    assert [verdict.gate for verdict in PATTERNS.judge(patterns)][-1] == "stable_clusters"


def test_every_card_says_that_its_data_is_simulated(club):
    for registration in (RACES, LOAD, PATTERNS):
        for page in ("card.html", "README.md"):
            assert "Simulated: no row of activities" in (club.card(registration) / page).read_text()


@pytest.mark.parametrize("kind", ["usage", "usage_online"])
def test_the_code_on_the_card_predicts_as_the_model_does(club, kind, tmp_path, monkeypatch, capsys):
    folder, model, rows = club.published(RACES)
    program = json.loads((club.card(RACES) / "card.json").read_text())[kind]
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    pq.write_table(rows.append_column("told_by_nobody", pa.nulls(rows.num_rows)), "rows.parquet")
    Path("row.json").write_text(json.dumps(rows.slice(3, 1).to_pylist()[0], default=float))
    names = {}
    exec(compile(program, "card", "exec"), names)  # noqa: S102 - our own program
    expected = model.predict(rows).tolist()
    if kind == "usage":
        assert pq.read_table("predictions.parquet")["prediction"].to_pylist() == expected
    else:
        assert json.loads(capsys.readouterr().out) == expected[3]
        unknown = dict.fromkeys(names["FEATURES"]) | {"distance": 10_000}
        assert 1_200 < names["predict"](unknown) < 7_200  # nothing is known of the athlete


def test_an_export_goes_all_the_way_to_a_decision(real):
    result = real.result(RACES)
    assert result.splits["test"].rows >= 20
    assert {one.value for one in result.slices if one.column == "race"} == {"5k", "10k", "half", "marathon"}
    verdicts = RACES.judge(result)
    held = [verdict for verdict in verdicts if not verdict.passed]
    assert held
    assert all(verdict.reason for verdict in verdicts)
    assert "not enough data" in verdicts[0].reason  # a month of a small club says nothing of a distance
    assert not real.ran[RACES.name].success  # the check of the card is red
    assert held_back(RACES, real.cutoff(RACES), real.work) == [verdict.gate for verdict in held]


def test_rows_of_an_export_that_are_broken_are_rejected_with_a_reason(real):
    reasons = [row.reasons for source in PROJECT.all(Source) for row in rejected_rows(source, work=real.work)]
    assert sorted(reasons) == [
        "distance is not a BIGINT",
        "duration is not a BIGINT",
        "heart_rate is above 240",
        "seconds is not a BIGINT",
        "sport is none of run, ride, swim",
        "status is none of finished, dnf, dq",
    ]


def test_an_export_in_place_of_simulated_data_is_not_called_simulated(real):
    for page in ("card.html", "README.md", "card.json"):
        assert "Simulated" not in (real.card(RACES) / page).read_text()
