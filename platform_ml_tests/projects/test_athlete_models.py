"""The athlete project end to end on a year of 120 simulated athletes, from files to cards."""

from dataclasses import fields, is_dataclass, replace
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from platform_ml.engine import card_artifact, evaluation
from platform_ml.engine.landing import deliver
from platform_ml.families import Recurrent, XGBoost
from platform_ml.orchestration.build import project_assets
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

WORLD = replace(SIMULATED, athletes=120, last=date(2022, 12, 31))
SMALL = {
    type(SIMULATED): lambda _: WORLD,
    Daily: lambda _: Daily(first=WORLD.first, last=WORLD.last),
    Weekly: lambda _: Weekly(first=date(2022, 8, 7), last=date(2022, 12, 18)),
    Monthly: lambda _: Monthly(first=date(2023, 1, 1), last=date(2023, 1, 1)),
    ByTime: lambda one: replace(one, validation_days=min(one.validation_days, 90)),
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
    """A data folder, and what was made in it."""

    def __init__(self, folder):
        self.platform = PlatformResource(data=str(folder / "data"))
        self.work = self.platform.work("athlete", lambda _: None)
        for source in PROJECT.all(Source):
            deliver(source, work=self.work)
        for kind in (Source, FeatureGroup, EventLabel, Label, FeatureView):
            for noun in PROJECT.all(kind):
                assert make(self.work, noun) == [], noun.name
        assets, self.ran = list(project_assets(PROJECT)), {}
        with dg.DagsterInstance.ephemeral(str(folder)) as instance:
            for registration in (RACES, LOAD, PATTERNS):
                path = [registration.card.evaluation.model.dataset, registration.card.evaluation.model]
                path += [registration.card.evaluation, registration.card]
                self.ran[registration.name] = dg.materialize(
                    assets,
                    selection=[dg.AssetKey(["athlete", noun.name]) for noun in path],
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


@pytest.fixture(scope="module")
def club(tmp_path_factory):
    return Club(tmp_path_factory.mktemp("athlete"))


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
