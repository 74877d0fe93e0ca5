"""The laws of projects: a project's test class inherits them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, ClassVar

import dagster as dg
import pytest

from platform_ml.engine import card_artifact, evaluation, training_dataset
from platform_ml.engine.landing import deliver
from platform_ml.engine.staleness import stale
from platform_ml.orchestration.build import project_assets
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.label import Label
from platform_ml.spec.registration import Registration
from platform_ml.spec.scores import Scores
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import PartitionState
    from platform_ml.spec.project import Noun, Project
    from platform_ml.spec.window import Cadence

TABLES = (Source, FeatureGroup, Label, EventLabel, FeatureView)


class Made:
    """A project from its example files to its registered models, made in this process."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project = project
        self.platform = PlatformResource(data=str(folder))
        self.work: Work = self.platform.work(project.name, lambda _: None)
        self.runs: list[dg.ExecuteInProcessResult] = []
        for source in project.all(Source):
            if source.example:
                deliver(source, work=self.work)
        for cadence, nouns in self._tables():
            self.run(nouns, span=(cadence.keys()[0], cadence.keys()[-1]) if cadence else None)
        for registration in project.all(Registration):
            self.run(self._path(registration), partition=self.cutoff(registration))

    def cutoff(self, registration: Registration) -> str:
        """The cutoff that a demonstration trains for, or the newest."""
        label = registration.card.evaluation.model.dataset.view.label
        return str(self.project.demo_cutoff or label.cadence.keys()[-1])

    def run(self, nouns: Sequence[Noun], *, partition: str | None = None, span: tuple[str, str] | None = None) -> None:
        """One run; what became of it is in `runs`."""
        ends = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
        with warnings.catch_warnings():
            # Dagster 1.13 on Python 3.12 and newer, when a check of a range is stored.
            warnings.filterwarnings("ignore", "datetime.datetime.utcfromtimestamp", DeprecationWarning)
            done = dg.materialize(
                project_assets(self.project),
                selection=[dg.AssetKey([self.project.name, noun.name]) for noun in nouns],
                partition_key=partition,
                tags=dict(zip(ends, span, strict=True)) if span else None,
                resources={"platform": self.platform},
                raise_on_error=False,
            )
        self.runs.append(done)

    def partitions(self, noun: Noun) -> Collection[PartitionState]:
        """What is there of a table."""
        return self.work.read(noun, []).partitions.values()

    def _tables(self) -> list[tuple[Cadence | None, list[Noun]]]:
        """What one run makes each: upstream first, and a run has one kind of partitions."""
        groups: list[tuple[Cadence | None, list[Noun]]] = []
        for noun in self.project.nouns:
            if isinstance(noun, TABLES):
                cadence = _cadence(noun)
                if not groups or groups[-1][0] != cadence:
                    groups.append((cadence, []))
                groups[-1][1].append(noun)
        return groups

    def _path(self, registration: Registration) -> list[Noun]:
        own = {noun.name for noun in self.project.nouns if not isinstance(noun, (*TABLES, Scores))}
        names = {registration.name, registration.card.name, registration.card.evaluation.name}
        model = registration.card.evaluation.model
        names |= {model.name, model.dataset.name, *([model.features.name] if model.features else [])}
        return [noun for noun in self.project.nouns if noun.name in own & names]


class ProjectContract:
    """What every project with example rows promises: it goes from files to a card, and gates alone decide the rest."""

    project: ClassVar[Project]

    @pytest.fixture(scope="class")
    @classmethod
    def made(cls, tmp_path_factory: pytest.TempPathFactory) -> Made:
        """The project, once for all laws."""
        return Made(cls.project, tmp_path_factory.mktemp(cls.project.name))

    def test_every_table_is_made_and_none_is_stale(self, made: Made) -> None:
        """All files are let in, and nothing is left to do."""
        tables = [noun for noun in self.project.nouns if isinstance(noun, TABLES)]
        rows = {noun.name: sum(state.rows for state in made.partitions(noun)) for noun in tables}
        assert [name for name, count in rows.items() if not count] == []
        assert stale(self.project, made.work) == {}

    def test_no_row_of_the_example_is_rejected(self, made: Made) -> None:
        """What is packaged is as it is declared."""
        for source in self.project.all(Source):
            rejected = made.work.platform.tables.snapshot(f"{self.project.name}/{source.name}_rejected")
            assert rejected is None or not sum(state.rows for state in rejected.partitions.values())

    def test_every_split_has_rows(self, made: Made) -> None:
        """There is something to learn from, to tune by and to judge by."""
        for registration in self.project.all(Registration):
            dataset = registration.card.evaluation.model.dataset
            loaded = training_dataset.load(dataset, made.cutoff(registration), work=made.work)
            for split in ("train", "validation", "test"):
                assert len(training_dataset.split_rows(dataset, loaded, split).label), split

    def test_a_model_has_a_card_and_is_registered_if_its_gates_let_it(self, made: Made) -> None:
        """Neither more nor less than the verdicts say."""
        for registration in self.project.all(Registration):
            cutoff = made.cutoff(registration)
            result = evaluation.load(registration.card.evaluation, cutoff, work=made.work)
            stopped = [verdict.gate for verdict in registration.judge(result) if verdict.stops]
            card = card_artifact.load(registration.card, cutoff, work=made.work)
            assert (card.folder / "card.html").is_file()
            found = made.work.platform.registry.find(registration.name, {"model_digest": result.model_digest})
            assert (found is None) == bool(stopped), stopped


def _cadence(noun: Noun) -> Cadence | None:
    found: Cadence | None = getattr(noun.label if isinstance(noun, FeatureView) else noun, "cadence", None)
    return found
