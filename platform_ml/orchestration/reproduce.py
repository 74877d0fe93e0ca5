"""`platform-ml reproduce`: a published dataset or model made again, and what differs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine.model_reference import models_named, resolve_model
from platform_ml.engine.model_reproduction import TOLERANCE, reproduce_model
from platform_ml.engine.reference import resolve
from platform_ml.engine.reproduction import reproduce as made_again
from platform_ml.orchestration.environment import environment
from platform_ml.orchestration.resources import PlatformResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.engine.recut import Level
    from platform_ml.engine.reference import Reference
    from platform_ml.spec.project import Project

SHOWN = 20
"""Differences of one level that are printed."""


def reproduce(text: str, projects: Sequence[Project], *, deep: bool, search: bool = False) -> int:
    """Print whether `NAME@VERSION`, a dataset or a model, can be made again.

    Returns:
        0 when every level is identical, and for a model also when what differs is within the tolerance for a reason
        that was recorded; else 1.
    """
    resource = PlatformResource()
    if models_named(text, projects):
        return _model(text, projects, resource, deep=deep, search=search)
    reference = resolve(text, projects, resource.platform().artifacts, verify=False)
    return _dataset(reference, resource, deep=deep)


def _dataset(reference: Reference, resource: PlatformResource, *, deep: bool) -> int:
    work = resource.work(reference.project.name, lambda _: None)
    print(f"{reference}, cutoff {reference.cutoff}")
    with tempfile.TemporaryDirectory(prefix="platform-ml-") as folder:
        scratch = resource.scratch(Path(folder)) if deep else None
        found = made_again(reference, work=work, now=environment(), scratch=scratch)
    for level in found.levels:
        _show(level)
    if found.changed:
        print("Changed since it was built" + (", without effect on the rows:" if found.identical else ":"))
        print("\n".join(f"  {change}" for change in found.changed))
    if found.identical:
        print(f"Identical: the content hash is {reference.artifact.record['content'][:12]}, as published.")
        return 0
    if not found.changed:
        print("Declarations, code and libraries are those that built it: look at the files and commits named above.")
    print("NOT identical.")
    return 1


def _model(text: str, projects: Sequence[Project], resource: PlatformResource, *, deep: bool, search: bool) -> int:
    """The dataset first: a model can be no more than its rows."""
    artifacts = resource.platform().artifacts
    reference = resolve_model(text, projects, artifacts, resource.mlflow().registry().versions)
    dataset = reference.dataset(artifacts)
    print(f"{reference}, cutoff {reference.cutoff}; its dataset:")
    rows = _dataset(dataset, resource, deep=deep)
    work = resource.work(reference.project.name, lambda _: None)
    found = reproduce_model(reference, dataset.artifact, work=work, now=environment(), search=search)
    print("The model:")
    for level in found.levels:
        _show(level)
    for title, said in (("Other conditions", found.causes), ("Changed since it was made", found.changed)):
        if said:
            print(f"{title}{', without effect' if found.identical else ''}:")
            print("\n".join(f"  {one}" for one in said))
    if found.identical:
        print("Identical: every file has the published bytes.")
        return rows
    if found.explained:
        print(f"Equal within {TOLERANCE:.0e} of the range of the predictions, for the conditions above.")
        return rows
    if not found.causes and not found.changed:
        print("Nothing that was recorded explains it: look for randomness without a seed, or for damaged files.")
    print("NOT identical.")
    return 1


def _show(level: Level) -> None:
    checked = f": {level.checked}" if level.checked else ""
    print(f"{'same' if level.identical else 'equal' if level.equal else 'DIFFERENT':<11}{level.name}{checked}")
    if level.within:
        print(f"{'':<11}{level.within}")
    for difference in level.differences[:SHOWN]:
        print(f"{'':<11}{difference}")
    if len(level.differences) > SHOWN:
        print(f"{'':<11}and {len(level.differences) - SHOWN:,} more")
