"""Names of published training datasets, as people write them: DATASET@VERSION."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.engine.dataset_checks import KIND
from platform_ml.spec.errors import MissingInputError, PlatformError, StoreError, did_you_mean
from platform_ml.spec.training_dataset import TrainingDataset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.ports import Artifact, Artifacts
    from platform_ml.spec.project import Project

LATEST = "latest"
HEX = re.compile(r"[0-9a-f]+")
SHORTEST, SHOWN = 6, 12
"""Characters of a digest that are asked for at least, and that are shown."""
LISTED = 12
"""Versions that an error names."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One published version of a training dataset, and today's declaration of it."""

    project: Project
    dataset: TrainingDataset
    artifact: Artifact

    def __str__(self) -> str:
        return f"{self.project.name}/{self.dataset.name}@{self.artifact.digest[:SHOWN]}"

    @property
    def cutoff(self) -> str:
        """The cutoff it was built for."""
        return str(self.artifact.record["cutoff"])

    @property
    def place(self) -> str:
        """Where it is published."""
        return f"{KIND}/{self.project.name}/{self.dataset.name}/{self.cutoff}"


def resolve(text: str, projects: Sequence[Project], artifacts: Artifacts, *, verify: bool = True) -> Reference:
    """The version that `DATASET@VERSION` names.

    DATASET is a name, or project/name. VERSION is the beginning of a digest (at least 6 characters), a cutoff (its
    newest version), or "latest" (the newest version of the last cutoff).

    Raises:
        PlatformError: no such dataset or version, or more than one; names the near misses and what there is.
        StoreError: with `verify`, a file of the version is not as it was published.
    """
    name, at, version = text.partition("@")
    project, dataset = _declared(name, projects)
    found = artifacts.versions(f"{KIND}/{project.name}/{dataset.name}")
    if not found:
        raise MissingInputError(f"{project.name}/{dataset.name} was never built. Materialize it for a cutoff first.")
    if not at or not version:
        raise PlatformError(f"{text!r} names no version. Write {name}@{LATEST}, or one of these.\n{_listed(found)}")
    artifact = _version(text, version, found)
    if verify and (damage := artifact.damage()):
        raise StoreError(f"{text}: {damage[0]}. Restore it from a backup, or delete the folder and materialize again.")
    return Reference(project=project, dataset=dataset, artifact=artifact)


def _declared(name: str, projects: Sequence[Project]) -> tuple[Project, TrainingDataset]:
    known = {
        f"{project.name}/{dataset.name}": (project, dataset)
        for project in projects
        for dataset in project.all(TrainingDataset)
    }
    found = [whole for whole in known if name in (whole, whole.partition("/")[2])]
    if len(found) == 1:
        return known[found[0]]
    if found:
        raise PlatformError(f"More than one project has a training dataset {name!r}. Write one of: {', '.join(found)}.")
    near = did_you_mean(name, [*known, *(whole.partition("/")[2] for whole in known)])
    raise PlatformError(f"There is no training dataset {name!r}.{near} Known: {', '.join(known) or 'none'}.")


def _version(text: str, version: str, found: list[Artifact]) -> Artifact:
    cutoffs = sorted({str(artifact.record["cutoff"]) for artifact in found})
    cutoff = cutoffs[-1] if version == LATEST else version
    if cutoff in cutoffs:
        return [artifact for artifact in found if artifact.record["cutoff"] == cutoff][-1]
    fits = [artifact for artifact in found if artifact.digest.startswith(version.lower())]
    if HEX.fullmatch(version.lower()) and len(version) < SHORTEST:
        raise PlatformError(f"{text}: a digest needs {SHORTEST} characters at least.\n{_listed(found)}")
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise PlatformError(f"{text} fits {len(fits)} versions. Write more of the digest.\n{_listed(fits)}")
    near = did_you_mean(version, [LATEST, *cutoffs, *(artifact.digest[: len(version)] for artifact in found)])
    raise PlatformError(f"{text}: there is no such version.{near}\n{_listed(found)}")


def _listed(found: Sequence[Artifact]) -> str:
    lines = [
        f"  {artifact.digest[:SHOWN]}  cutoff {artifact.record['cutoff']}  "
        f"{sum(split['rows'] for split in artifact.record['split']['splits'].values()):,} rows"
        for artifact in reversed(found)
    ]
    more = [f"  and {len(lines) - LISTED} older ones"] if len(lines) > LISTED else []
    return "\n".join(["Versions, newest first:", *lines[:LISTED], *more])
