"""What to do next, taken from what it happened to: always a command that shows more, or that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.checks.drift import Drift
from platform_ml.engine.platform import COMMAND
from platform_ml.engine.validation import declared
from platform_ml.spec.project import upstream
from platform_ml.spec.registration import Registration
from platform_ml.spec.scores import Scores
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from platform_ml.spec.project import Noun, Project

OF_DRIFT = ("score_drift", "unseen_categories", "train_against_test")
"""The checks on drift that nobody has to declare."""


def is_drift(noun: Noun | None, check: str) -> bool:
    """Whether a check compares what comes in with what came before."""
    own = [one for one in declared(noun) if one.name == check] if noun else []
    return check in OF_DRIFT or any(isinstance(one, Drift) for one in own)


def after_check(project: Project, noun: Noun | None, check: str, partition: str) -> str:
    """Which command shows the rows or numbers that did not pass."""
    key = f" --partition {partition}" if partition else ""
    match noun:
        case Source() if check in {"volume", "fresh"}:
            return f"See what was delivered: platform-ml arrivals {project.name} {noun.name}"
        case Source():
            return f"See the rows: platform-ml rejected {noun.name} --project {project.name}{key}"
        case Scores():
            return (
                f"See who scored what: platform-ml scores {project.name} {noun.name}{key}. "
                "If what comes in stays like that, train again."
            )
        case None:
            return f"Run it again: {COMMAND} {project.name}/..."
        case _ if is_drift(noun, check):
            return (
                f"See its statistics: platform-ml catalog {project.name} {noun.name}. "
                "If the change is meant, train again; if not, mend the source."
            )
        case _:
            source = next((one for one in _ancestors(noun) if isinstance(one, Source)), None)
            look = f"platform-ml rejected {source.name} --project {project.name}" if source else ""
            rows = f", and the rows of its source: {look}" if look else ""
            return f"See its numbers: platform-ml catalog {project.name} {noun.name}{rows}"


def after_gate(project: Project, noun: Noun | None, cutoff: str, *, stopped: bool = True) -> str:
    """The card says what was measured; where it stopped the model, a waiver is the other way out."""
    registration = next(
        (one for one in project.all(Registration) if noun in {one, one.card}),
        None,
    )
    if registration is None:
        return f"Open the catalog: platform-ml catalog {project.name}"
    look = f"Open the card: platform-ml card {registration.name}@{cutoff}."
    if not stopped:
        return f"{look} This gate stops nothing: it says what to look at."
    return (
        f"{look} Nothing was registered. Mend data or model and "
        "train again, or let somebody answer for it with a waiver."
    )


def after_failure(project: Project, noun: Noun | None, partitions: tuple[str, ...]) -> str:
    """Mend it, and run again what is missing."""
    if noun is None:
        return "Open the run, mend what it names, and run it again."
    which = [one for one in partitions if one]
    option = f" --partition {which[0]}" if len(which) == 1 else ""
    option = f" --partition-range {which[0]}...{which[-1]}" if len(which) > 1 else option
    look = f"See what was delivered: platform-ml arrivals {project.name} {noun.name}. " if _is_source(noun) else ""
    return f"{look}Mend what the run names, then: {COMMAND} {project.name}/{noun.name}{option}"


def when_overdue(project: Project, noun: Noun | None) -> str:
    """Whether it was delivered is the first question."""
    source = next((one for one in (noun, *_ancestors(noun)) if isinstance(one, Source)), None) if noun else None
    which = f" {source.name}" if source else ""
    return f"See whether it was delivered: platform-ml arrivals {project.name}{which}"


def _is_source(noun: Noun) -> bool:
    return isinstance(noun, Source)


def _ancestors(noun: Noun) -> list[Noun]:
    found: list[Noun] = []
    for parent in upstream(noun):
        found += [parent, *_ancestors(parent)]
    return found
