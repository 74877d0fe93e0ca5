"""Which delivered files a simulator wrote, so that everything that is made of them says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from platform_ml.engine.lineage import steps
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.window import WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from platform_ml.engine.lineage import Step
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.source import Source

KIND = "simulated"
FILE = "sha256.json"
NOTE = "Simulated: no row of {} was observed. No figure here says anything about the world."


def remember(source: Source, hashes: Iterable[str], *, work: Work) -> None:
    """Note the content of files that a simulator wrote, beside those that it wrote before."""
    known = sorted({*hashes, *_known(work.table(source), work)})

    def fill(folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(known), encoding="ascii")

    record = {"known": len(known)}
    work.platform.artifacts.publish(work.place(KIND, source, WHOLE), digest(known), record, fill)


def simulated(behind: Sequence[Step], *, work: Work) -> str:
    """A sentence that names the sources of which a simulator wrote a file; empty where all were observed."""
    names = []
    for step in behind:
        known = _known(step.table, work)
        if known and any(file.sha256 in known for load in step.loads for file in load.files):
            names.append(step.table.split("/")[-1])
    return NOTE.format(_listed(sorted(names))) if names else ""


def _listed(names: Sequence[str]) -> str:
    return " and ".join([*([", ".join(names[:-1])] if names[:-1] else []), names[-1]])


def simulated_behind(dataset: Artifact, *, work: Work) -> str:
    """The same of everything that a dataset is made of."""
    return simulated(steps(dataset, work.platform.tables), work=work)


def _known(table: str, work: Work) -> frozenset[str]:
    """What a simulator wrote for a source; empty for other tables."""
    kept = work.platform.artifacts.newest(f"{KIND}/{table}/{WHOLE}")
    return frozenset(json.loads((kept.folder / FILE).read_text(encoding="ascii")) if kept else ())
