"""Model cards as published folders, their numbers taken from what was recorded when the parts were made."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from platform_ml.engine.card_change import UNKNOWN, Previous, change
from platform_ml.engine.lineage import listed, sources, steps
from platform_ml.engine.model_card import RenderedCard, render
from platform_ml.engine.provenance import provenance
from platform_ml.engine.simulated import simulated
from platform_ml.spec.errors import MissingInputError, Refused, StoreError, UnreachableError
from platform_ml.spec.fingerprint import digest, fingerprint
from platform_ml.spec.model_card import REQUIRED, unwritten

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
CARD, PAGE, TEXT = "card.json", "card.html", "README.md"
LINEAGE = "lineage.json"
"""Every delivered file behind the model: a registered version tells it also where the tables are not."""


@dataclass(frozen=True, kw_only=True)
class PublishedCard:
    """A card and where it lies."""

    rendered: RenderedCard
    artifact: Artifact


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a card says beside the model and its numbers: whose it is, and which version came before."""

    owner: str = ""
    previous: Previous | None = None
    """As `previous_version` finds it."""


NOWHERE = Setting()


def materialize_model_card(
    registration: Registration,
    cutoff: str,
    *,
    result: EvaluationResult,
    verdicts: Sequence[Verdict],
    dataset: Artifact,
    model: Artifact,
    work: Work,
    setting: Setting = NOWHERE,
) -> PublishedCard:
    """Write the card of a model, whether or not its gates passed."""
    card, behind = registration.card, steps(dataset, work.platform.tables)
    rendered = render(
        card,
        result=result,
        verdicts=verdicts,
        gates=registration.gates,
        provenance=replace(
            provenance(
                card,
                dataset=dataset,
                model=model,
                registered_as=f"{registration.name}@{registration.alias}",
                files=sources(behind),
            ),
            project=work.project,
            owner=setting.owner,
            simulated=simulated(behind, work=work),
        ),
        previous=setting.previous,
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
    work.say(f"{work.table(card)}: {artifact.folder / PAGE}")
    return PublishedCard(rendered=rendered, artifact=artifact)


def previous_version(registration: Registration, cutoff: str, model: Artifact, *, work: Work) -> Previous | None:
    """The version in use when this model's first card was made; making the card again compares with the same one."""
    card, registry = registration.card, work.platform.registry
    kept = work.platform.artifacts.versions(f"{KIND}/{work.project}/{card.name}")
    mine = [card_json(one) for one in kept if (one.record["model"], one.record["cutoff"]) == (model.digest, cutoff)]
    known = [said["change"] for said in mine if "change" in said and said["change"] != change(UNKNOWN, {})]
    try:
        if known:
            wanted = known[0] and {"model_digest": known[0]["model"]}
        else:
            wanted = registry.promoted(registration.name, registration.alias)
        if not wanted or wanted["model_digest"] == model.digest:
            return None
        said = {name: wanted[name] for name in ("model_digest", "evaluation_digest") if name in wanted}
        version = registry.find(registration.name, said) or "?"
    except UnreachableError as error:
        work.say(f"{work.table(card)}: nothing is compared with the version before. {error}")
        return UNKNOWN
    fits = [one for one in kept if one.record["model"] == said["model_digest"]]
    same = [one for one in fits if one.record["evaluation"] == said.get("evaluation_digest")] or fits
    return Previous(
        registered=f"{registration.name}@{version}",
        model=said["model_digest"],
        card=card_json(same[-1]) if same else None,
    )


def card_json(artifact: Artifact) -> dict[str, Any]:
    """What a published card says; `StoreError` when it cannot be read."""
    try:
        said: dict[str, Any] = json.loads((artifact.folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{artifact.folder / CARD} cannot be read ({error}). Materialize the card again.") from error
    return said


def check_written(card: ModelCard, artifact: Artifact) -> None:
    """Refuse a published card that lacks words of its owner, wherever they went."""
    words = card_json(artifact)["card"]
    if missing := unwritten({name: words.get(name, "") for name in REQUIRED}):
        raise Refused(
            f"Not registered: card {card.name!r} says nothing about {', '.join(missing)}. Its owner has to write it, "
            "then materialize the card again."
        )


def load(card: ModelCard, cutoff: str, *, work: Work) -> Artifact:
    """The newest card of a cutoff."""
    artifact = work.platform.artifacts.newest(work.place(KIND, card, cutoff))
    if artifact is None:
        raise MissingInputError(work.missing(card, [cutoff]))
    return artifact
