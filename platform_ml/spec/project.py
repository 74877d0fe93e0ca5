"""One project: its owner and what it produces; everything upstream is found from there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from platform_ml.spec.backtest import Backtest
from platform_ml.spec.errors import DeclarationError, did_you_mean
from platform_ml.spec.evaluation import Evaluation
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_selection import FeatureSelection
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.fingerprint import PROSE
from platform_ml.spec.label import Label
from platform_ml.spec.leader_board import LeaderBoard
from platform_ml.spec.model_card import ModelCard
from platform_ml.spec.naming import check_name, check_unique
from platform_ml.spec.registration import Registration
from platform_ml.spec.scores import Scores
from platform_ml.spec.source import Source
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.tuned_model import TunedModel

if TYPE_CHECKING:
    from datetime import date

    from platform_ml.spec.automation import Automation
    from platform_ml.spec.schedule import Schedule

Noun = (
    Source
    | FeatureGroup
    | Label
    | EventLabel
    | FeatureView
    | TrainingDataset
    | FeatureSelection
    | TunedModel
    | LeaderBoard
    | Evaluation
    | ModelCard
    | Registration
    | Scores
    | Backtest
)
N = TypeVar("N", bound=Noun)
REJECTED = "_rejected"
"""What the name of a source's quarantine table ends with."""
QUARANTINE = "quarantine"
CATALOG = "catalog"
RESERVED = {QUARANTINE: "lists what was rejected", CATALOG: "lists what is declared"}
"""The assets that every project has beside its declarations."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """What a team predicts from what."""

    name: str
    description: str = field(metadata=PROSE)
    owner: str = field(metadata=PROSE)
    """An e-mail address or `team:name`."""
    outputs: tuple[Registration | Scores | Backtest | FeatureGroup, ...]
    """Registrations, scores of registered models, backtests, and feature groups that no model uses yet."""
    demo_cutoff: date | None = None
    """The cutoff that a demonstration trains for."""
    demo_without: tuple[Scores | Backtest | FeatureGroup, ...] = ()
    """Outputs that a demonstration leaves out, with all that only they are made of."""
    demo_refused: tuple[Registration, ...] = ()
    """Outputs that a demonstration shows being held back by their gates; it fails where they are not."""
    automation: Automation | None = field(default=None, metadata=PROSE)
    """What runs by itself; None: sensors and schedules are there, and stopped."""
    schedules: tuple[Schedule, ...] = field(default=(), metadata=PROSE)
    """What is brought up to date at which times."""

    def __post_init__(self) -> None:
        check_name("Project", self.name)
        if not (self.owner.startswith("team:") or "@" in self.owner):
            raise DeclarationError(f"Project {self.name!r}: owner {self.owner!r} is no e-mail address or 'team:name'.")
        if others := [group.name for group in self.demo_without if group not in self.outputs]:
            raise DeclarationError(f"Project {self.name!r}: {others[0]!r} is no output, so a demo cannot leave it out.")
        if others := [one.name for one in self.demo_refused if one not in self.outputs]:
            raise DeclarationError(
                f"Project {self.name!r}: {others[0]!r} is no output, so no demo can show it refused."
            )
        self._check_schedules()
        seen: dict[str, Noun] = {}
        rejected = {f"{source.name}{REJECTED}" for source in self.all(Source)}
        for noun in self.nouns:
            if noun.name in RESERVED:
                raise DeclarationError(
                    f"Project {self.name!r}: its asset {noun.name!r} {RESERVED[noun.name]}. Rename yours."
                )
            if noun.name in rejected:
                raise DeclarationError(
                    f"Project {self.name!r}: {noun.name!r} is where the rejected rows of a source are kept. Rename it."
                )
            if seen.setdefault(noun.name, noun) != noun:
                kinds = f"{type(seen[noun.name]).__name__} and {type(noun).__name__}"
                raise DeclarationError(f"Project {self.name!r} uses the name {noun.name!r} for two things: {kinds}.")

    def _check_schedules(self) -> None:
        check_unique(f"Project {self.name!r}", "schedule", [schedule.name for schedule in self.schedules])
        known = {noun.name: noun for noun in self.nouns}
        for schedule in self.schedules:
            for noun in schedule.of:
                if known.get(noun.name) != noun:
                    raise DeclarationError(
                        f"Project {self.name!r}: schedule {schedule.name!r} is of {noun.name!r}, which the project "
                        f"does not have.{did_you_mean(noun.name, known)} Name what its outputs are made of."
                    )

    @cached_property
    def nouns(self) -> tuple[Noun, ...]:
        """Every declaration of the project, upstream first, each once."""
        found: list[Noun] = []
        visited: dict[int, Noun] = {}  # kept, so that no other one gets its id

        def visit(noun: Noun) -> None:
            if id(noun) in visited:
                return
            visited[id(noun)] = noun
            for parent in (*upstream(noun), *referred(noun)):
                visit(parent)
            if noun not in found:
                found.append(noun)
                if isinstance(noun, TunedModel) and noun.rivals:
                    found.append(LeaderBoard(model=noun))

        for output in self.outputs:
            visit(output)
        return tuple(found)

    @property
    def demo(self) -> Project:
        """The part of the project that a demonstration makes."""
        outputs = tuple(output for output in self.outputs if output not in self.demo_without)
        return replace(self, outputs=outputs, demo_without=(), schedules=())

    def all(self, noun: type[N]) -> tuple[N, ...]:
        """Its declarations of one kind."""
        return tuple(found for found in self.nouns if isinstance(found, noun))


def referred(noun: Noun) -> tuple[Source, ...]:
    """The sources that its checks read: they are not what it is made of."""
    return tuple(source for one in getattr(noun, "checks", ()) for source in one.reads())


def upstream(noun: Noun) -> tuple[Noun, ...]:
    """What a declaration is directly made of."""
    match noun:
        case Source():
            return ()
        case FeatureGroup():
            return (noun.source, *(lookup.source for lookup in noun.lookups))
        case Label() | EventLabel():
            return tuple(dict.fromkeys((noun.source, noun.outcome_source)))
        case FeatureView():
            return (noun.label, *noun.groups)
        case TrainingDataset():
            return (noun.view,)
        case FeatureSelection() | TunedModel():
            return (noun.dataset, *_chosen(noun))
        case Evaluation() | LeaderBoard():
            return (noun.model, noun.model.dataset)
        case ModelCard(evaluation=judged) | Registration(card=judged) | Backtest(of=judged):
            return (judged,)
        case Scores():
            return (noun.registration, noun.source, *noun.view.groups)


def _chosen(noun: FeatureSelection | TunedModel) -> tuple[FeatureSelection, ...]:
    return (noun.features,) if isinstance(noun, TunedModel) and noun.features else ()
