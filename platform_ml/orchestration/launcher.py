"""Starts runs on the code server and notices when a run's worker has gone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from dagster import DefaultRunLauncher, Field
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagster import DagsterRun
    from dagster._config.config_schema import UserConfigSchema
    from dagster._grpc.client import DagsterGrpcClient
    from dagster._serdes import ConfigurableClassData

ANSWER_SECONDS = 5
HELD, DENIED, SILENT = "holds the run", "has no worker of this run", "did not answer"


class WatchfulRunLauncher(DefaultRunLauncher):
    """Lets run monitoring fail a run whose worker has gone.

    Dagster's own launcher cannot be asked: after a crash a run stays STARTED for ever and keeps its pool slot. Here a
    run fails after its code server has denied it `misses` times in a row, or has been silent `silences` times. While
    it is silent nothing could be tried again: one that comes back where it was, as a new container does, needs time.
    """

    def __init__(self, misses: int = 3, silences: int = 3, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self._allowed = {DENIED: misses, SILENT: silences}
        self._missed: Counter[tuple[str, str]] = Counter()

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        number = Field(int, is_required=False, default_value=3)
        return {"misses": number, "silences": number}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> WatchfulRunLauncher:
        return cls(inst_data=inst_data, **config_value)

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        client = self._get_grpc_client_for_termination(run.run_id)
        if client is None:  # finished in the meantime, or run by a command line that no server knows
            self._forgive(run.run_id)
            return CheckRunHealthResult(WorkerStatus.RUNNING, "No code server holds this run.")
        found = _asked(client, run.run_id)
        if found == HELD:
            self._forgive(run.run_id)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        self._missed[run.run_id, found] += 1
        missed, allowed = self._missed[run.run_id, found], self._allowed[found]
        message = f"The code server at {client.host} {found}, {missed} of {allowed} times."
        if missed < allowed:
            return CheckRunHealthResult(WorkerStatus.RUNNING, message, transient=True)
        self._forgive(run.run_id)
        return CheckRunHealthResult(WorkerStatus.FAILED, message)

    def _forgive(self, run_id: str) -> None:
        for found in self._allowed:
            self._missed.pop((run_id, found), None)


def _asked(client: DagsterGrpcClient, run_id: str) -> str:
    """Whether the code server still has a worker for the run."""
    try:
        answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run_id), timeout=ANSWER_SECONDS)
    except DagsterUserCodeUnreachableError:
        return SILENT
    return HELD if deserialize_value(answer, CanCancelExecutionResult).can_cancel else DENIED
