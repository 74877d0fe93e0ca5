"""Names of models, as people write them: NAME@VERSION, where NAME is that of a registration or of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.engine import dataset_checks
from platform_ml.engine.reference import HEX, LATEST, LISTED, SHORTEST, SHOWN, Reference
from platform_ml.engine.tuned_model import KIND
from platform_ml.spec.errors import MissingInputError, PlatformError, did_you_mean
from platform_ml.spec.registration import Registration
from platform_ml.spec.tuned_model import TunedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from platform_ml.engine.ports import Artifact, Artifacts
    from platform_ml.engine.tracked import RegisteredVersion
    from platform_ml.spec.project import Project

    Versions = Callable[[], Sequence[RegisteredVersion]]


@dataclass(frozen=True, kw_only=True)
class ModelReference:
    """One published model, and today's declaration of it."""

    project: Project
    model: TunedModel
    artifact: Artifact
    registered: str = ""
    """As it is called in the registry, where that is how it was found."""

    def __str__(self) -> str:
        called = f", registered as {self.registered}" if self.registered else ""
        return f"{self.project.name}/{self.model.name}@{self.artifact.digest[:SHOWN]}{called}"

    @property
    def cutoff(self) -> str:
        """The cutoff it was trained for."""
        return str(self.artifact.record["cutoff"])

    def dataset(self, artifacts: Artifacts) -> Reference:
        """What it was trained on; `MissingInputError` when that is not there any more."""
        dataset, wanted = self.model.dataset, self.artifact.record["dataset"]
        for found in artifacts.versions(f"{dataset_checks.KIND}/{self.project.name}/{dataset.name}"):
            if found.digest == wanted:
                return Reference(project=self.project, dataset=dataset, artifact=found)
        raise MissingInputError(
            f"{self} was trained on {dataset.name}@{wanted[:SHOWN]}, which is not there. Restore it from a backup."
        )


def models_named(text: str, projects: Sequence[Project]) -> bool:
    """Whether NAME of NAME@VERSION is a model or a registration."""
    name = text.partition("@")[0]
    return any(name in (whole, whole.partition("/")[2]) for whole in _declared(projects))


def resolve_model(text: str, projects: Sequence[Project], artifacts: Artifacts, versions: Versions) -> ModelReference:
    """The model that NAME@VERSION names.

    VERSION is a number or an alias of the registry (NAME is then a registration), the beginning of a digest (at least
    6 characters), a cutoff (its newest model), or "latest" (the newest model of the last cutoff).

    Args:
        text: what somebody wrote.
        projects: where to look.
        artifacts: where models are published.
        versions: asks the registry; only where NAME is a registration.

    Raises:
        PlatformError: no such model or version, or more than one; names the near misses and what there is.
    """
    name, _, version = text.partition("@")
    project, model, registration = _one(name, projects)
    found = artifacts.versions(f"{KIND}/{project.name}/{model.name}")
    registered = _registered(registration, version, versions) if registration else None
    if registered is not None:
        digest = registered.tags.get("model_digest", "")
        for artifact in found:
            if artifact.digest == digest:
                called = f"{registered.name}@{registered.version}"
                return ModelReference(project=project, model=model, artifact=artifact, registered=called)
        raise MissingInputError(
            f"{text} is model {digest[:SHOWN]}, which is not published here any more. Restore it from a backup."
        )
    if not found:
        raise MissingInputError(f"{project.name}/{model.name} was never trained. Materialize it for a cutoff first.")
    return ModelReference(project=project, model=model, artifact=_version(text, version, found, registration, versions))


def _declared(projects: Sequence[Project]) -> dict[str, tuple[Project, TunedModel, Registration | None]]:
    found: dict[str, tuple[Project, TunedModel, Registration | None]] = {}
    for project in projects:
        for model in project.all(TunedModel):
            found[f"{project.name}/{model.name}"] = project, model, None
        for registration in project.all(Registration):
            found[f"{project.name}/{registration.name}"] = project, registration.card.evaluation.model, registration
    return found


def _one(name: str, projects: Sequence[Project]) -> tuple[Project, TunedModel, Registration | None]:
    known = _declared(projects)
    fits = [whole for whole in known if name in (whole, whole.partition("/")[2])]
    if len(fits) == 1:
        return known[fits[0]]
    if fits:
        raise PlatformError(f"More than one project has a model {name!r}. Write one of: {', '.join(fits)}.")
    near = did_you_mean(name, [*known, *(whole.partition("/")[2] for whole in known)])
    raise PlatformError(f"There is no model {name!r}.{near} Known: {', '.join(known) or 'none'}.")


def _registered(registration: Registration, version: str, versions: Versions) -> RegisteredVersion | None:
    """The version of a number or an alias; None where it is neither."""
    if not version or (HEX.fullmatch(version) and len(version) >= SHORTEST):
        return None
    for one in versions():
        if one.name == registration.name and version in (str(one.version), *one.aliases):
            return one
    return None


def _version(
    text: str, version: str, found: Sequence[Artifact], registration: Registration | None, versions: Versions
) -> Artifact:
    cutoffs = sorted({str(artifact.record["cutoff"]) for artifact in found})
    cutoff = cutoffs[-1] if version == LATEST else version
    if cutoff in cutoffs:
        return [artifact for artifact in found if artifact.record["cutoff"] == cutoff][-1]
    fits = [artifact for artifact in found if len(version) >= SHORTEST and artifact.digest.startswith(version.lower())]
    if len(fits) == 1:
        return fits[0]
    known = [one for one in versions() if one.name == registration.name] if registration else []
    named = [name for one in known for name in (str(one.version), *one.aliases)]
    listed = _listed(fits or found, {one.tags.get("model_digest", ""): one for one in known})
    if fits:
        raise PlatformError(f"{text} fits {len(fits)} models. Write more of the digest.\n{listed}")
    near = (
        did_you_mean(version, [LATEST, *named, *cutoffs]) if version else f" Write {text.partition('@')[0]}@{LATEST}."
    )
    raise PlatformError(f"{text}: there is no such version.{near}\n{listed}")


def _listed(found: Sequence[Artifact], registered: dict[str, RegisteredVersion]) -> str:
    lines = []
    for artifact in reversed(found):
        one = registered.get(artifact.digest)
        called = f"  {one.name}@{', '.join([str(one.version), *one.aliases])}" if one else ""
        lines.append(f"  {artifact.digest[:SHOWN]}  cutoff {artifact.record['cutoff']}{called}")
    more = [f"  and {len(lines) - LISTED} older ones"] if len(lines) > LISTED else []
    return "\n".join(["Models, newest first:", *lines[:LISTED], *more])
