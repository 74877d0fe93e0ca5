"""Registering: what was approved, only what was approved, and once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from platform_ml.engine import card_artifact as cards
from platform_ml.engine import chosen, preparation
from platform_ml.engine import evaluation as evaluations
from platform_ml.engine.described import classes_of, dataset_of, described, made_from
from platform_ml.engine.intervals import FILE as INTERVALS
from platform_ml.engine.manifest import FILE as MANIFEST
from platform_ml.engine.manifest import FORMAT, SHOWN, TAG, manifest, text_sha256
from platform_ml.engine.promotion import take_seat
from platform_ml.engine.tracked_run import run_key
from platform_ml.engine.tuned_model import SEARCH, digest_of
from platform_ml.spec.errors import MissingInputError, Refused
from platform_ml.spec.evaluation import EvaluationResult
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG
from platform_ml.spec.registration import Approved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact, Registry
    from platform_ml.spec.registration import Registration
    from platform_ml.spec.stage import Actor


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A version in the registry."""

    name: str
    version: str
    promoted: bool
    """Whether it is what its registration makes of it: an older cutoff never takes that from a newer one."""
    tags: Mapping[str, str]


def register(
    registration: Registration,
    approved: Approved,
    *,
    registry: Registry,
    run_id: str,
    files: Mapping[str, Path],
    tags: Mapping[str, str],
    actor: Actor,
    about: Mapping[str, Any] | None = None,
) -> Registered:
    """Add a version made of `files`; the same model, numbers and gates are the same version, however often.

    Args:
        registration: what the model is registered as.
        approved: that its gates passed; `Refused` when it does not fit the files.
        registry: where.
        run_id: the tracker's run that made the model.
        files: path in the version → file: the model, its `search.json`, the `evaluation.json`, and what else belongs.
        tags: what the version says besides its digests and verdicts: commit, lock file.
        actor: who registers it.
        about: what its manifest says besides its digests and the checksums of all files, as plain JSON.
    """
    result = _check(registration, approved, files)
    identity = {
        "model_digest": approved.model_digest,
        "evaluation_digest": approved.evaluation_digest,
        "policy_digest": approved.policy_digest,
        "manifest_format": str(FORMAT),  # so that what was registered without checksums is registered again
    }
    made = _contents(registration, files)
    said = {
        **tags,
        "formats": ", ".join(sorted(made["formats"])),
        **{f"gate.{verdict.gate}": f"{verdict.outcome}: {verdict.reason}" for verdict in approved.verdicts},
        **{f"waiver.{verdict.gate}": verdict.waiver.says for verdict in approved.verdicts if verdict.waiver},
        **identity,
        "dataset_digest": approved.dataset_digest,
        "fingerprint": fingerprint(registration),
        "cutoff": result.cutoff,
        **{f"test.{name}": str(result.test(name)) for name in list(result.titles)[:1]},
    }
    digests = {**identity, "dataset_digest": approved.dataset_digest, "cutoff": result.cutoff}
    text = manifest(files, {**(about or {}), **made, **digests})
    said[TAG] = text_sha256(text)
    with TemporaryDirectory() as aside:
        listed = Path(aside, MANIFEST)
        listed.write_text(text, encoding="utf-8")
        whole = {**files, MANIFEST: listed}
        version = registry.register(registration.name, run_id, whole, said, once=list(identity))
    # The version may have been there with a card that was written at another time.
    ours = registry.find(registration.name, {TAG: said[TAG]}) == version
    promoted = take_seat(
        registration, int(version), result.cutoff, registry=registry, actor=actor, manifest=said[TAG] if ours else ""
    )
    return Registered(name=registration.name, version=version, promoted=promoted, tags=said)


def _contents(registration: Registration, files: Mapping[str, Path]) -> dict[str, Any]:
    """What a manifest says of the files besides their checksums."""
    return {
        "registration": registration.name,
        "declared": fingerprint(registration.card.evaluation.model),
        "formats": {Path(name).suffix.removeprefix("."): name for name in files if name.startswith("model.")},
        "card": sorted(name for name in files if name.startswith("card/")),
    }


def materialize_registration(
    registration: Registration,
    cutoff: str,
    approved: Approved,
    trained: Artifact,
    *,
    work: Work,
    code: Mapping[str, str],
    actor: Actor,
) -> Registered:
    """Register a published model with its numbers, its card, its signature and an example."""
    evaluation = registration.card.evaluation
    numbers = work.platform.artifacts.newest(work.place(evaluations.KIND, evaluation, cutoff))
    if numbers is None:
        raise MissingInputError(work.missing(evaluation, [cutoff]))
    card = _card(registration, cutoff, approved, work=work)
    graph = trained.record.get("onnx", {}).get("file")  # there only if it was found to predict the same
    prepared = preparation.FILE if evaluation.model.preparations else None
    selected = chosen.FILE if evaluation.model.features else None
    ranges = INTERVALS if evaluation.model.intervals else None
    of_model = [name for name in (trained.record["model_file"], SEARCH, graph, prepared, selected, ranges) if name]
    files = {
        **{name: trained.folder / name for name in of_model},
        evaluations.FILE: numbers.folder / evaluations.FILE,
        **{f"card/{name}": card.folder / name for name in card.record["files"]},
    }
    # A run that waited when the model was made has its id only now; a tracker that is down ends it here.
    run_id = work.platform.tracker.find(work.project, run_key(trained.digest)) or trained.record["mlflow_run"]
    dataset, made_by = dataset_of(evaluation.model, trained, work=work), trained.record["made_by"]
    with TemporaryDirectory() as aside:
        files |= described(evaluation.model, dataset, Path(aside), made=trained.record["made_at"], run_id=run_id)
        registered = register(
            registration,
            approved,
            registry=work.platform.registry,
            run_id=run_id,
            files=files,
            tags={
                **code,
                **{name: made_by[name] for name in (REASON_TAG, DETAIL_TAG) if name in made_by},
                "project": work.project,
                "dataset": f"{work.table(evaluation.model.dataset)}@{dataset.digest[:SHOWN]}",
            },
            actor=actor,
            about={
                "project": work.project,
                "dataset": made_from(evaluation.model, dataset, work=work),
                "registered_by": dict(code),
                "made_by": made_by,
                "classes": classes_of(evaluation.model, dataset),
            },
        )
    held = f", {registration.alias}" if registered.promoted else f"; another version stays {registration.alias}"
    work.say(f"{work.table(registration)}: {registered.name} version {registered.version}{held}")
    return registered


def _card(registration: Registration, cutoff: str, approved: Approved, *, work: Work) -> Artifact:
    """The card of the model and the numbers that were approved, whole."""
    card = cards.load(registration.card, cutoff, work=work)
    if (card.record["model"], card.record["evaluation"]) != (approved.model_digest, approved.evaluation_digest):
        raise Refused(
            f"Not registered: card {registration.card.name!r} is of another model or of other numbers than were "
            "approved. Materialize the card again."
        )
    cards.check_written(registration.card, card)
    return card


def _check(registration: Registration, approved: Approved, files: Mapping[str, Path]) -> EvaluationResult:
    """Everything is judged and hashed again: an approval is worth what the files are, not what it says of itself."""
    where = f"Not registered: {registration.name!r}"
    if type(approved) is not Approved:
        raise Refused(f"{where} needs an Approved, not a {type(approved).__name__}. Use Approved.by(...).")
    if missing := [name for name in (SEARCH, evaluations.FILE) if name not in files]:
        raise Refused(f"{where} comes without {missing[0]!r}. Register the files of a published model.")
    result = EvaluationResult.from_json(json.loads(files[evaluations.FILE].read_text(encoding="utf-8")))
    judged = Approved.by(registration, result)
    if vars(judged) != vars(approved):
        raise Refused(
            f"{where}: the approval is not what its gates say of {evaluations.FILE}: {_difference(judged, approved)}. "
            "Approve the newest evaluation again."
        )
    model = registration.card.evaluation.model
    needed = {
        preparation.FILE: bool(model.preparations),
        chosen.FILE: model.features is not None,
        INTERVALS: model.intervals is not None,
    }
    if lacking := [name for name, is_needed in needed.items() if is_needed and name not in files]:
        raise Refused(f"{where} comes without {lacking[0]!r}. Register the files of a published model.")
    search = json.loads(files[SEARCH].read_text(encoding="utf-8"))
    if search["model"] not in files:
        raise Refused(f"{where} comes without {search['model']!r}. Register the files of a published model.")
    found = digest_of(files, dataset=approved.dataset_digest, declared=fingerprint(model))
    if found != approved.model_digest:
        raise Refused(
            f"{where}: the gates approved model {approved.model_digest[:12]}, but these files are {found[:12]}. "
            "Evaluate the model again."
        )
    return result


def _difference(judged: Approved, approved: Approved) -> str:
    for name, value in vars(judged).items():
        if value != (other := vars(approved).get(name)):
            return f"{name} is {_short(value)}, not {_short(other)}"
    return "it has more fields"


def _short(value: object) -> str:
    return value[:12] if isinstance(value, str) else repr(value)[:200]
