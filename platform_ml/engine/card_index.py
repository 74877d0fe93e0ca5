"""All models on one page: what their cards say, what became of them, and where their cards are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.engine import card_artifact as cards
from platform_ml.engine import tuned_model
from platform_ml.engine.model_card import environment
from platform_ml.spec.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from platform_ml.engine.ports import Artifact, Artifacts
    from platform_ml.engine.tracked import RegisteredVersion

FOLDER, PAGE = "cards", "index.html"
"""Where the page lies, below the data folder."""
REGISTERED, CANDIDATE, REFUSED, NO_CARD = "registered", "candidate", "failed gates", "no card"
ORDER = (REGISTERED, CANDIDATE, REFUSED, NO_CARD)
NO_ANSWER = "The registry did not answer, so nobody knows here which models are registered."


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One model: its newest card, or that it has none."""

    project: str
    name: str
    """Of the model."""
    title: str
    cutoff: str
    digest: str
    status: str
    """registered, candidate, failed gates or no card."""
    versions: tuple[str, ...] = ()
    """name@version of those that are made of it, with their aliases."""
    aliases: tuple[str, ...] = ()
    metric: str = ""
    goal: str = ""
    estimate: Mapping[str, Any] | None = None
    """Of the metric on the test rows, with its interval."""
    passed: int = 0
    failed: int = 0
    advised: int = 0
    """Gates that speak against it and stop nothing."""
    waived: int = 0
    stopped: tuple[str, ...] = ()
    """Gates that let it not be registered."""
    dataset: str = ""
    made: str = ""
    simulated: bool = False
    """Whether a simulator wrote rows behind it."""
    card: Path | None = None
    """The page of its card."""


def entries(artifacts: Artifacts, versions: Sequence[RegisteredVersion]) -> list[Entry]:
    """Every published model, project by project and name by name, the newest cutoff first.

    Args:
        artifacts: where models and cards are published.
        versions: what the registry holds.
    """
    registered: dict[str, list[RegisteredVersion]] = {}
    for one in versions:
        registered.setdefault(one.tags.get("model_digest", ""), []).append(one)
    newest: dict[tuple[str, str, str], Artifact] = {}
    for artifact in artifacts.versions(cards.KIND):
        newest[_project(artifact), artifact.record["card"], artifact.record["model"]] = artifact  # the last one holds
    found = [
        _entry(project, artifact, registered.get(model, []))
        for (project, _, model), artifact in newest.items()
        if (artifact.folder / cards.CARD).exists()
    ]
    known = {one.digest for one in found}
    found += [
        _bare(artifact, registered.get(artifact.digest, []))
        for artifact in artifacts.versions(tuned_model.KIND)
        if artifact.digest not in known
    ]
    found.sort(key=lambda one: (one.made, one.digest), reverse=True)
    found.sort(key=lambda one: one.cutoff, reverse=True)
    return sorted(found, key=lambda one: (one.project, one.name))


def html(found: Sequence[Entry], *, beside: Path, note: str = "") -> str:
    """The page; links to cards are relative to the folder `beside`, in which it is to lie."""
    links = {one.digest: os.path.relpath(one.card, beside) for one in found if one.card is not None}
    counts = {status: sum(one.status == status for one in found) for status in ORDER}
    projects = {project: [one for one in found if one.project == project] for project in _projects(found)}
    return (
        environment()
        .get_template("card_index.html.j2")
        .render(projects=projects, counts=counts, links=links, note=note, total=len(found))
    )


def write(file: Path, text: str) -> None:
    """Put the page in place in one step, whoever else writes it at the same moment."""
    aside = file.with_name(f".{file.name}-{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8")
        aside.replace(file)
    except OSError as error:
        raise StoreError(f"{file} cannot be written: {error.strerror}. Name a file in a folder of yours.") from error


def _entry(project: str, artifact: Artifact, versions: Sequence[RegisteredVersion]) -> Entry:
    said = cards.card_json(artifact)
    gates, headline = said["gates"], said["headline"]
    status = REGISTERED if versions else CANDIDATE if said["approved"] else REFUSED
    return Entry(
        project=project,
        name=said["model"]["name"],
        title=said["card"]["title"],
        simulated=bool(said["provenance"].get("simulated")),
        cutoff=said["evaluation"]["cutoff"],
        digest=artifact.record["model"],
        status=status,
        versions=_versions(versions),
        aliases=_aliases(versions),
        metric=headline["title"],
        goal=headline["goal"],
        estimate=headline["estimate"],
        passed=sum(bool(gate["passed"]) for gate in gates),
        failed=sum(bool(gate["stops"]) for gate in gates),
        advised=sum(not (gate["passed"] or gate["stops"] or gate["waiver"]) for gate in gates),
        waived=sum(bool(gate["waiver"] and not gate["passed"]) for gate in gates),
        stopped=tuple(gate["name"] for gate in gates if gate["stops"]),
        dataset=f"{said['dataset']['name']}@{said['evaluation']['dataset_digest'][:12]}",
        made=said["provenance"]["created"],
        card=artifact.folder / cards.PAGE,
    )


def _bare(artifact: Artifact, versions: Sequence[RegisteredVersion]) -> Entry:
    record = artifact.record
    return Entry(
        project=_project(artifact),
        name=record["model"],
        title="",
        cutoff=record["cutoff"],
        digest=artifact.digest,
        status=REGISTERED if versions else NO_CARD,
        versions=_versions(versions),
        aliases=_aliases(versions),
        dataset=record["dataset"][:12],
        made=record["made_at"],
    )


def _versions(versions: Sequence[RegisteredVersion]) -> tuple[str, ...]:
    return tuple(f"{one.name}@{one.version}" for one in versions)


def _aliases(versions: Sequence[RegisteredVersion]) -> tuple[str, ...]:
    return tuple(alias for one in versions for alias in one.aliases)


def _project(artifact: Artifact) -> str:
    """An artifact lies at kind/project/name/partition/digest."""
    return artifact.folder.parents[2].name


def _projects(found: Sequence[Entry]) -> list[str]:
    return list(dict.fromkeys(one.project for one in found))
