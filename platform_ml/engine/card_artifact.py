"""Model cards as published folders, their numbers taken from what was recorded when the parts were made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.engine.lineage import listed, sources, steps
from platform_ml.engine.model_card import RenderedCard, render
from platform_ml.engine.provenance import provenance
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.fingerprint import digest, fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.evaluation import EvaluationResult
    from platform_ml.spec.gate import Verdict
    from platform_ml.spec.model_card import ModelCard
    from platform_ml.spec.registration import Registration

KIND = "cards"
LINEAGE = "lineage.json"
"""Every delivered file behind the model: a registered version tells it also where the tables are not."""


@dataclass(frozen=True, kw_only=True)
class PublishedCard:
    """A card and where it lies."""

    rendered: RenderedCard
    artifact: Artifact


def materialize_model_card(
    registration: Registration,
    cutoff: str,
    *,
    result: EvaluationResult,
    verdicts: Sequence[Verdict],
    dataset: Artifact,
    model: Artifact,
    work: Work,
) -> PublishedCard:
    """Write the card of a model, whether or not its gates passed."""
    card, behind = registration.card, steps(dataset, work.platform.tables)
    rendered = render(
        card,
        result=result,
        verdicts=verdicts,
        gates=registration.gates,
        provenance=provenance(
            card,
            dataset=dataset,
            model=model,
            registered_as=f"{registration.name}@{registration.alias}",
            files=sources(behind),
        ),
    )

    files = rendered.files | {LINEAGE: json.dumps({"files": listed(behind)}, indent=1) + "\n"}

    def fill(folder: Path) -> None:
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")

    record = {
        "card": card.name,
        "cutoff": cutoff,
        "fingerprint": fingerprint(registration),
        "model": model.digest,
        "evaluation": result.digest,
    }
    artifact = work.platform.artifacts.publish(work.place(KIND, card, cutoff), digest(files), record, fill)
    work.say(f"{work.table(card)}: {artifact.folder / 'card.html'}")
    return PublishedCard(rendered=rendered, artifact=artifact)


def load(card: ModelCard, cutoff: str, *, work: Work) -> Artifact:
    """The newest card of a cutoff."""
    artifact = work.platform.artifacts.newest(work.place(KIND, card, cutoff))
    if artifact is None:
        raise MissingInputError(work.missing(card, [cutoff]))
    return artifact
