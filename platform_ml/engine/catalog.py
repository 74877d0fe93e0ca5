"""The catalog: everything that projects declare, what there is of it, how good and how fresh it is, and who uses it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine.catalog_columns import CatalogColumn, columns, facts
from platform_ml.engine.catalog_state import Freshness, Made, QualityOverTime, state
from platform_ml.spec.backtest import Backtest
from platform_ml.spec.errors import PlatformError, did_you_mean
from platform_ml.spec.evaluation import Evaluation
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_selection import FeatureSelection
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.label import Label
from platform_ml.spec.leader_board import LeaderBoard
from platform_ml.spec.model_card import ModelCard
from platform_ml.spec.project import upstream
from platform_ml.spec.registration import Registration
from platform_ml.spec.scores import Scores
from platform_ml.spec.source import Source
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.tuned_model import TunedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from platform_ml.engine.platform import Work
    from platform_ml.spec.project import Noun, Project

FORMAT = 1
KINDS: Mapping[type, str] = {
    Source: "source",
    FeatureGroup: "feature group",
    Label: "label",
    EventLabel: "label",
    FeatureView: "feature view",
    TrainingDataset: "training dataset",
    FeatureSelection: "feature selection",
    TunedModel: "model",
    Registration: "registered model",
    Scores: "scores",
    Backtest: "backtest",
}
"""What is listed; evaluations, leader boards and cards are shown with their models."""
SHORT = 8
"""Characters of a fingerprint that are shown."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One declaration of a project, and what is known of its data."""

    project: str
    name: str
    kind: str
    description: str
    owner: str
    version: str
    """The fingerprint of the declaration."""
    facts: Mapping[str, str]
    """What else its declaration says, in words."""
    columns: tuple[CatalogColumn, ...]
    made: Made | None
    """None: nothing was materialized yet."""
    freshness: Freshness | None
    """None: it has no cadence."""
    quality: QualityOverTime | None
    """None: it has no scores."""
    upstream: tuple[str, ...]
    """The names of what it is directly made of."""
    consumers: tuple[str, ...]
    """The names of what is directly made of it."""
    downstream: tuple[str, ...]
    """The names of everything that is made of it, directly or not."""

    @property
    def key(self) -> str:
        """project/name, as Dagster calls it."""
        return f"{self.project}/{self.name}"

    @property
    def status(self) -> str:
        """In a few words, whether there is something and whether it is what the declaration says."""
        if self.made is None:
            return "not materialized yet"
        if self.made.others:
            return "stale"
        if self.made.refused:
            return "not approved"
        if self.freshness and self.freshness.missing:
            late = self.freshness.missing == self.freshness.behind
            return f"{self.freshness.missing:,} {'behind' if late else 'missing'}"
        return "current"

    @property
    def trouble(self) -> str:
        """What is not as it should be, in sentences; empty when all is well."""
        said = [self.made.refused] if self.made and self.made.refused else []
        if self.made and self.made.others:
            whole = f"{self.made.others:,} of {self.made.partitions:,} {self.made.parts}"
            said.append(
                f"Stale: {whole} came from another declaration ({', '.join(self.made.other_versions)}) than today's "
                f"({self.version[:SHORT]}). Materialize again."
            )
        if self.made and self.freshness and self.freshness.missing:
            behind = self.freshness.behind
            late = f", {behind:,} of them after {self.freshness.latest}, the latest one" if behind else ""
            said.append(f"{self.freshness.missing:,} of {self.freshness.due:,} partitions due are missing{late}.")
        return " ".join(said)

    @property
    def searched(self) -> str:
        """Everything that a reader may look for, in lower case."""
        words = [self.name, self.kind, self.project, self.owner, self.description, self.version[:SHORT], self.status]
        words += [*self.facts.values()]
        for column in self.columns:
            words += [column.name, column.meaning, column.type, column.unit or "", column.role]
        return " ".join(" ".join(words).lower().split())


@dataclass(frozen=True, kw_only=True)
class CatalogProject:
    """A project and what it declares, upstream first."""

    name: str
    description: str
    owner: str
    items: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """What the platform knows of some projects on one day."""

    day: str
    """Freshness is counted up to here, ISO 8601."""
    projects: tuple[CatalogProject, ...]

    @property
    def items(self) -> list[Item]:
        """Those of all projects."""
        return [item for project in self.projects for item in project.items]

    def item(self, name: str) -> Item:
        """The item called `name` or `project/name`; `PlatformError` names the near miss."""
        found = [item for item in self.items if name in {item.name, item.key}]
        if len(found) == 1:
            return found[0]
        if found:
            keys = ", ".join(item.key for item in found)
            raise PlatformError(f"More than one project has {name!r}. Write one of: {keys}.")
        known = [name for item in self.items for name in (item.name, item.key)]
        where = ", ".join(project.name for project in self.projects)
        raise PlatformError(f"{where} declares no {name!r}.{did_you_mean(name, known)}")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        plain = {"format": FORMAT, "day": self.day}
        return plain | {"projects": [_project_json(project) for project in self.projects]}


def _project_json(project: CatalogProject) -> dict[str, Any]:
    items = [asdict(item) | {"status": item.status, "trouble": item.trouble} for item in project.items]
    return {"name": project.name, "description": project.description, "owner": project.owner, "items": items}


def catalog(projects: Sequence[Project], work: Callable[[str], Work], *, day: date) -> Catalog:
    """What is declared and what there is of it; `work` gives the stores of a project. Reads no rows."""
    return Catalog(day=day.isoformat(), projects=tuple(_project(project, work(project.name)) for project in projects))


def _project(project: Project, work: Work) -> CatalogProject:
    consumers = _consumers(project)
    items = tuple(_item(project, noun, consumers, work) for noun in project.nouns if type(noun) in KINDS)
    return CatalogProject(name=project.name, description=project.description, owner=project.owner, items=items)


def _item(project: Project, noun: Noun, consumers: Mapping[str, Sequence[str]], work: Work) -> Item:
    if isinstance(noun, Evaluation | ModelCard | LeaderBoard):
        raise TypeError(noun)
    declared = fingerprint(noun)
    found = state(noun, declared, project, work)
    return Item(
        project=project.name,
        name=noun.name,
        kind=KINDS[type(noun)],
        description=noun.description,
        owner=project.owner,
        version=declared,
        facts=facts(noun),
        columns=columns(noun, project, found.statistics),
        made=found.made,
        freshness=found.freshness,
        quality=found.quality,
        upstream=tuple(dict.fromkeys(name for one in upstream(noun) for name in _listed(one))),
        consumers=tuple(consumers[noun.name]),
        downstream=tuple(_downstream(noun.name, consumers)),
    )


def _listed(noun: Noun) -> list[str]:
    """Its name, or that of the model which it judges or describes."""
    match noun:
        case Evaluation():
            return [noun.model.name]
        case ModelCard():
            return [noun.evaluation.model.name]
        case _:
            return [noun.name]


def _consumers(project: Project) -> dict[str, list[str]]:
    """Name → the names of what is directly made of it."""
    listed = [noun for noun in project.nouns if type(noun) in KINDS]
    found: dict[str, list[str]] = {noun.name: [] for noun in listed}
    for noun in listed:
        for name in dict.fromkeys(name for one in upstream(noun) for name in _listed(one)):
            found[name].append(noun.name)
    return found


def _downstream(name: str, consumers: Mapping[str, Sequence[str]]) -> list[str]:
    found: dict[str, None] = {}
    waiting = list(consumers[name])
    while waiting:
        one = waiting.pop(0)
        if one not in found:
            found[one] = None
            waiting += consumers[one]
    return [one for one in consumers if one in found]
