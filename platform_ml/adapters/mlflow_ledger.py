"""The history of a registered model in MLflow: a run whose parameters are the transitions, one after the other.

MLflow never changes a parameter of a run, and its database holds one of each name: so the first who writes number n
has it, on whichever machine, and everybody else is told. Aliases and tags of versions only repeat what is written there
for MLflow's own pages; a process that is killed before it has set them leaves a transition that is complete, and the
next one sets them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from platform_ml.adapters.mlflow_store import EXISTS, MISSING, Unless, experiment_id
from platform_ml.spec.errors import StoreError
from platform_ml.spec.stage import PROMOTE, SEATS, Stage, Standing, Transition

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities.model_registry import RegisteredModel

LEDGER = "platform_ml.ledger"
"""Tag of a registered model: the run that holds its history."""
EXPERIMENT, ENTRY = "platform_registry", "transition."
STAGE = "stage"
"""Tag of a version, for people who look at it in MLflow."""
TAKEN = "INVALID_PARAMETER_VALUE"


def history(client: MlflowClient, model: RegisteredModel) -> list[Transition]:
    """All transitions, oldest first; one that is missing is an error, since MLflow itself removes none."""
    if not (run_id := model.tags.get(LEDGER)):
        return []
    params = client.get_run(run_id).data.params
    entries = {name: text for name, text in sorted(params.items()) if name.startswith(ENTRY)}
    if list(entries) != [_key(number) for number in range(len(entries))]:
        raise StoreError(
            f"The history of {model.name!r} has gaps: run {run_id} of experiment {EXPERIMENT!r} holds "
            f"{', '.join(entries)}. Restore MLflow's database from a backup."
        )
    return [Transition.from_json(json.loads(text)) for text in entries.values()]


def enter(client: MlflowClient, model: RegisteredModel, entry: Transition, after: int) -> Transition | None:
    """Write number `after`; None, or what somebody else wrote there first."""
    with Unless(TAKEN):
        client.log_param(
            model.tags[LEDGER], _key(after), json.dumps(entry.to_json(), sort_keys=True, ensure_ascii=False)
        )
        return None
    written = history(client, model)
    if after >= len(written):
        raise StoreError(
            f"MLflow does not take transition {after + 1} of {model.name!r}: run {model.tags[LEDGER]} of experiment "
            f"{EXPERIMENT!r}, which holds its history, was deleted. Restore it: mlflow runs restore --run-id ..."
        )
    return written[after]


def settle(client: MlflowClient, name: str) -> None:
    """Let aliases and tags say what the history says, also when it grows meanwhile."""
    model = client.get_registered_model(name)
    entries = history(client, model)
    while entries:
        standing = Standing.of(entries)
        for seat in SEATS:
            held, holder = model.aliases.get(seat), standing.holder(seat)
            if holder is None and held is not None:
                client.delete_registered_model_alias(name, seat)
            elif holder is not None and str(held) != str(holder):
                _repeat(client.set_registered_model_alias, name, seat, str(holder))
        for version in {entries[-1].version, entries[-1].displaced, *map(standing.holder, SEATS)} - {None}:
            _say(client, name, str(version), entries)
        if len(grown := history(client, model)) == len(entries):
            return
        entries, model = grown, client.get_registered_model(name)


def anchored(client: MlflowClient, name: str, artifact_root: Path) -> RegisteredModel:
    """The registered model with a history of its own, both made on first use by exactly one of those who try."""
    with Unless(MISSING):
        model = client.get_registered_model(name)
        if LEDGER in model.tags:
            return model
        return _adopt(client, model, _run(client, name, artifact_root))
    run_id = _run(client, name, artifact_root)
    with Unless(EXISTS):
        return client.create_registered_model(name, tags={LEDGER: run_id})
    client.delete_run(run_id)
    return anchored(client, name, artifact_root)


def _adopt(client: MlflowClient, model: RegisteredModel, run_id: str) -> RegisteredModel:
    """A model that was registered before transitions were written down: its champion is the first entry."""
    if champion := model.aliases.get(Stage.CHAMPION):
        version = client.get_model_version(model.name, champion)
        entry = Transition(
            version=int(version.version),
            before=Stage.CANDIDATE,
            after=Stage.CHAMPION,
            act=PROMOTE,
            who="unknown",
            when=datetime.fromtimestamp((version.last_updated_timestamp or 0) / 1_000, UTC),
            why="It was the champion before transitions were written down.",
            run="unknown",
        )
        client.log_param(run_id, _key(0), json.dumps(entry.to_json(), sort_keys=True, ensure_ascii=False))
    client.set_registered_model_tag(model.name, LEDGER, run_id)
    return client.get_registered_model(model.name)


def _run(client: MlflowClient, name: str, artifact_root: Path) -> str:
    home = experiment_id(client, EXPERIMENT, artifact_root)
    run = client.create_run(home, run_name=f"transitions of {name}", tags={"registered_model": name})
    client.set_terminated(run.info.run_id)
    return str(run.info.run_id)


def _key(number: int) -> str:
    return f"{ENTRY}{number + 1:06d}"


def _say(client: MlflowClient, name: str, version: str, entries: Sequence[Transition]) -> None:
    about = next(entry for entry in reversed(entries) if int(version) in (entry.version, entry.displaced))
    text = f"{Standing.of(entries).stage(int(version))}: {about.says}"
    with Unless(MISSING):  # somebody deleted the version in MLflow
        if client.get_model_version(name, version).tags.get(STAGE) != text:
            _repeat(client.set_model_version_tag, name, version, STAGE, text)


def _repeat(call: Any, *arguments: str) -> None:
    """Twice, since two machines that make the same row at the same moment stop each other once."""
    with Unless("BAD_REQUEST"):
        call(*arguments)
        return
    call(*arguments)
