"""Registered models in MLflow: versions that are made of native files, each a logged model of its run."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from platform_ml.adapters import mlflow_ledger as ledger
from platform_ml.adapters.mlflow_ledger import LEDGER, STAGE
from platform_ml.adapters.mlflow_store import (
    MISSING,
    Unless,
    connect,
    experiment_id,
    laid_out,
    legal,
    legal_keys,
    locked,
    store_errors,
)
from platform_ml.engine.tracked import RegisteredVersion
from platform_ml.spec.stage import SEATS, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

    from platform_ml.spec.stage import Transition

READY, LINK = "READY", "mlflow.modelVersions"


@dataclass(frozen=True)
class MLflowRegistry:
    """Processes of one machine register one after the other; those of several machines settle on the first version."""

    tracking_uri: str
    artifact_root: Path

    def register(
        self, name: str, run_id: str, files: Mapping[str, Path], tags: Mapping[str, str], *, once: Sequence[str] = ()
    ) -> str:
        client, said = connect(self.tracking_uri), legal_keys(tags)
        identity = {legal(tag): said[legal(tag)] for tag in once}
        with store_errors(self.tracking_uri), self._alone(name):
            found = _lowest(client, name, identity) if identity else None
            if found is None:
                found = self._create(client, name, self._run(client, name, run_id), files, said)
                if identity and (first := _lowest(client, name, identity)) and first.version != found.version:
                    client.delete_model_version(name, found.version)  # another machine was faster
                    found = first
            else:
                ledger.settle(client, name)  # for one that was killed before it had told MLflow of its transition
        return str(found.version)

    def _create(
        self, client: MlflowClient, name: str, run: Any, files: Mapping[str, Path], said: Mapping[str, str]
    ) -> ModelVersion:
        """The version last: an attempt that ends before it leaves files, which the next one takes, but no version."""
        from mlflow.entities import LoggedModelOutput

        home, run_id = run.info.experiment_id, run.info.run_id
        with laid_out(files) as folder:
            model = _left_over(client, home, name, said) or client.create_logged_model(
                home, name=name, source_run_id=run_id, tags=dict(said), model_type="native"
            )
            client.log_model_artifacts(model.model_id, str(folder))
            client.finalize_logged_model(model.model_id, "READY")
        with Unless("BAD_REQUEST"):  # a second time, from an attempt that ended here, or whose answer got lost
            client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
        ledger.anchored(client, name, self.artifact_root)
        # Its tags are written with the version, so that nobody finds a version that has only some of them. Its source
        # is the folder itself: MLflow resolves models:/ by the URI of the process, which need not be ours.
        version = client.create_model_version(
            name,
            source=model.artifact_location,
            run_id=run_id,
            tags=dict(said),
            model_id=model.model_id,
            await_creation_for=0,
        )
        # MLflow's pages lead from the run to its model by the output above, and from there to the version by this.
        link = json.dumps([{"name": name, "version": str(version.version)}])
        client.set_logged_model_tags(model.model_id, {LINK: link})
        return version

    def find(self, name: str, tags: Mapping[str, str]) -> str | None:
        client, wanted = connect(self.tracking_uri), legal_keys(tags)
        with store_errors(self.tracking_uri):
            return next((str(version.version) for version in _versions(client, name, wanted)), None)

    def history(self, name: str) -> list[Transition]:
        client = connect(self.tracking_uri)
        with store_errors(self.tracking_uri):
            return ledger.history(client, model) if (model := _model(client, name)) else []

    def enter(self, name: str, entry: Transition, *, after: int) -> Transition | None:
        client = connect(self.tracking_uri)
        with store_errors(self.tracking_uri), self._alone(name):
            client.get_model_version(name, str(entry.version))  # a transition of nothing would stay for ever
            other = ledger.enter(client, ledger.anchored(client, name, self.artifact_root), entry, after)
            ledger.settle(client, name)
        return other

    def promoted(self, name: str, alias: str) -> Mapping[str, str] | None:
        client = connect(self.tracking_uri)
        with store_errors(self.tracking_uri):
            if alias.isdecimal():
                return _numbered(client, name, alias)
            model = _model(client, name)
            holder = _holder(client, model, alias) if model else None
            return None if holder is None else _said(client.get_model_version(name, holder))

    def fetch(self, name: str, version: int, folder: Path) -> Mapping[str, str]:
        from mlflow.artifacts import download_artifacts

        client = connect(self.tracking_uri)
        with store_errors(self.tracking_uri), TemporaryDirectory(dir=folder.parent) as aside:
            found = client.get_model_version(name, str(version))
            there = download_artifacts(artifact_uri=found.source, dst_path=aside, tracking_uri=self.tracking_uri)
            for path in Path(there).iterdir():  # which lies below `aside`, or is it, as the kind of store likes
                shutil.move(path, folder)
        return _said(found)

    def versions(self) -> list[RegisteredVersion]:
        """All versions of all models, by name, newest first."""
        client = connect(self.tracking_uri)
        with store_errors(self.tracking_uri):
            models = [model for page in _pages(client.search_registered_models) for model in page]
            return [
                _read(version, standing)
                for model in sorted(models, key=lambda model: str(model.name))
                for standing in [Standing.of(ledger.history(client, model))]
                for version in _versions(client, model.name, {}, ready=False)
            ]

    def _alone(self, name: str) -> Any:
        return locked(self.artifact_root / f".{name}.lock")

    def _run(self, client: MlflowClient, name: str, run_id: str) -> Any:
        """The run that made the model, or one in its place when somebody deleted it from the tracker."""
        with Unless(MISSING, "INVALID_PARAMETER_VALUE"):
            return client.get_run(run_id)
        home = experiment_id(client, name, self.artifact_root)
        run = client.create_run(home, run_name=f"registration of {name}", tags={"lost_run": run_id})
        client.set_terminated(run.info.run_id)
        return run


def _versions(
    client: MlflowClient, name: str, wanted: Mapping[str, str], *, ready: bool = True
) -> Iterator[ModelVersion]:
    """Versions with these tags, newest first."""
    for page in _pages(client.search_model_versions, f"name = '{name}'", order_by=["version_number DESC"]):
        for version in page:
            if (version.status == READY or not ready) and wanted.items() <= version.tags.items():
                yield version


def _pages(search: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
    token: str | None = None
    while True:
        page = search(*arguments, page_token=token, **options)
        yield page
        token = page.token
        if not token:
            return


def _left_over(client: MlflowClient, home: str, name: str, said: Mapping[str, str]) -> Any:
    """The files of this very version, from a process that was killed before it came to the version."""
    for page in _pages(client.search_logged_models, [home], f"name = '{name}'"):
        for model in page:
            if said.items() <= model.tags.items() and LINK not in model.tags:
                return model
    return None


def _lowest(client: MlflowClient, name: str, identity: Mapping[str, str]) -> ModelVersion | None:
    return min(_versions(client, name, identity), key=lambda version: int(version.version), default=None)


def _model(client: MlflowClient, name: str) -> RegisteredModel | None:
    with Unless(MISSING):
        return client.get_registered_model(name)
    return None


def _holder(client: MlflowClient, model: RegisteredModel, alias: str) -> str | None:
    """The version that the history calls so; a model from before there were histories has only its alias."""
    if LEDGER not in model.tags:
        found: str | None = model.aliases.get(alias)
        return found
    holder = Standing.of(ledger.history(client, model)).holder(alias)
    return None if holder is None else str(holder)


def _numbered(client: MlflowClient, name: str, version: str) -> dict[str, str] | None:
    with Unless(MISSING, "INVALID_PARAMETER_VALUE"):
        return _said(client.get_model_version(name, version))
    return None


def _said(version: ModelVersion) -> dict[str, str]:
    """What it was registered with."""
    return {name: text for name, text in version.tags.items() if name != STAGE}


def _read(version: ModelVersion, standing: Standing) -> RegisteredVersion:
    stage = standing.stage(int(version.version))
    return RegisteredVersion(
        name=version.name,
        version=int(version.version),
        aliases=[str(stage)] if stage in SEATS else [],
        status=version.status.lower(),
        registered=datetime.fromtimestamp(version.creation_timestamp / 1_000, UTC),
        run_id=version.run_id or "",
        tags=_said(version),
        stage=stage,
    )
