"""Starts runs on the code server and notices when a run's worker has gone."""

from __future__ import annotations

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


class WatchfulRunLauncher(DefaultRunLauncher):
    """Lets run monitoring fail a run after its code server denied it, or was silent, `misses` times in a row.

    Dagster's own launcher cannot be asked: after a crash a run stays STARTED for ever and keeps its pool slot.
    """

    def __init__(self, misses: int = 3, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data)
        self._allowed = misses
        self._missed: dict[str, int] = {}

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {"misses": Field(int, is_required=False, default_value=3)}

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
            self._missed.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING, "No code server holds this run.")
        if _holds(client, run.run_id):
            self._missed.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        missed = self._missed[run.run_id] = self._missed.get(run.run_id, 0) + 1
        message = f"The code server at {client.host} did not confirm the run worker, {missed} of {self._allowed} times."
        if missed < self._allowed:
            return CheckRunHealthResult(WorkerStatus.RUNNING, message, transient=True)
        del self._missed[run.run_id]
        return CheckRunHealthResult(WorkerStatus.FAILED, message)


def _holds(client: DagsterGrpcClient, run_id: str) -> bool:
    """Whether the code server still has a worker for the run."""
    try:
        answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run_id), timeout=ANSWER_SECONDS)
    except DagsterUserCodeUnreachableError:
        return False
    return deserialize_value(answer, CanCancelExecutionResult).can_cancel
