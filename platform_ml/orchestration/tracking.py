"""MLflow in Dagster: a resource that never holds an open run, and one job through dagster-mlflow.

dagster-mlflow 0.29 keeps one MLflow run open for the whole Dagster run. That is right only where all steps share one
process. In a multiprocess run every step process reopens the run, the hook runs in the step's process and not in that
of the run, and MLflow ends what is open when any process exits, as FINISHED. So assets use `MLflow`, which stores a
finished run in one piece, and the job below runs in process; its test holds both for `dagster job execute` too.
"""

from __future__ import annotations

from collections.abc import Iterator  # noqa: TC003 - Dagster reads the annotations of resources
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from platform_ml.engine.tracked import Recorded
from platform_ml.engine.tracked_run import run_key
from platform_ml.orchestration.environment import environment, machine
from platform_ml.spec.errors import StoreError
from platform_ml.spec.naming import counted
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from platform_ml.adapters.mlflow import MLflowRegistry
    from platform_ml.engine.outbox import Outbox
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact

SQLITE = "sqlite:///"
HEALTH, HEALTH_JOB = "platform_health", "mlflow_health"
KEPT = "kept: sent before the next run, by the sensor, by the job mlflow_health, or by `platform-ml tracking`"
UNDER_WAY = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
LIBRARIES = ("dagster", "dagster-mlflow", "deltalake", "duckdb", "mlflow", "numpy", "optuna", "pyarrow", "xgboost")


class MLflow(dg.ConfigurableResource):
    """Where runs and registered models are kept; relative paths start where the code location was started."""

    tracking_uri: str = "sqlite:///data/mlflow/mlflow.db"
    artifact_root: str = "data/mlflow/artifacts"
    outbox: str = "data/outbox"
    """Where runs wait while MLflow is down; apart from MLflow's own folder, which may be what is lost."""

    def tracker(self) -> Outbox:
        """Stores finished runs, now or later."""
        from platform_ml.adapters.mlflow import MLflowTracker
        from platform_ml.engine.outbox import Outbox

        return Outbox(MLflowTracker(self.uri, self.root), Path(self.outbox).resolve())

    def registry(self) -> MLflowRegistry:
        """Stores model versions."""
        from platform_ml.adapters.mlflow import MLflowRegistry

        return MLflowRegistry(self.uri, self.root)

    def prepare(self, experiment: str) -> None:
        """Make the store and the experiment: MLflow itself would put its artifacts wherever one happens to stand."""
        from platform_ml.adapters.mlflow import connect, experiment_id

        experiment_id(connect(self.uri), experiment, self.root)

    @property
    def uri(self) -> str:
        """The address, with an absolute path."""
        if not self.tracking_uri.startswith(SQLITE):
            return self.tracking_uri
        return SQLITE + str(Path(self.tracking_uri.removeprefix(SQLITE)).resolve())

    @property
    def root(self) -> Path:
        """The folder, absolute."""
        return Path(self.artifact_root).resolve()


def run_tags(context: dg.AssetExecutionContext) -> dict[str, str]:
    """What leads from an MLflow run back to Dagster."""
    partitioned = context.has_partition_key or context.has_partition_key_range
    intent = context.run.tags.get("intent")
    return {
        **({"intent": intent} if intent else {}),
        **reason_of(context.run),
        "dagster_run": context.run.run_id,
        "dagster_job": context.job_name,
        "dagster_asset": context.asset_key.to_user_string(),
        **({"dagster_partition": ", ".join(context.partition_keys)} if partitioned else {}),
    }


def reason_of(run: dg.DagsterRun) -> dict[str, str]:
    """Why a run was started; a run that does not say so was started by somebody."""
    detail = run.tags.get(DETAIL_TAG)
    return {REASON_TAG: run.tags.get(REASON_TAG) or str(Reason.MANUAL), **({DETAIL_TAG: detail} if detail else {})}


def run_metadata(model: Artifact, work: Work) -> dict[str, str]:
    """Where the run of a model is now: with the tracker, or waiting."""
    try:
        found = work.platform.tracker.find(work.project, run_key(model.digest))
    except StoreError as error:
        return tracked_metadata(Recorded(run_id="", waits=str(error)))
    return tracked_metadata(Recorded(run_id=found or model.record["mlflow_run"]))


def tracked_metadata(recorded: Recorded) -> dict[str, str]:
    """What an asset says of its run."""
    if recorded.waits:
        return {"mlflow_run": KEPT, "tracking": recorded.waits}
    return {"mlflow_run": recorded.run_id}


@dg.resource(required_resource_keys={"tracking"})
def mlflow_tracking(context: dg.InitResourceContext) -> Iterator[Any]:
    """dagster-mlflow's resource on the store of `tracking`; imported late, because it loads all of MLflow."""
    run = context.instance.get_run_by_id(context.run_id) if context.instance and context.run_id else None
    if run and run.is_finished:
        yield None  # `dagster job execute` opens the resources once more after a failure: the MLflow run has ended
        return
    store: MLflow = context.resources.tracking
    store.prepare(HEALTH)
    import dagster_mlflow
    import mlflow

    config = {"experiment_name": HEALTH, "mlflow_tracking_uri": store.uri}
    resource: Any = dagster_mlflow.mlflow_tracking.resource_fn
    try:
        yield from resource(context.replace_config(config))
    finally:
        mlflow.end_run("FAILED")  # the hook has ended it, unless the step never came to an end


def _end(context: dg.HookContext, events: Sequence[dg.DagsterEvent]) -> dg.HookExecutionResult:
    import dagster_mlflow

    result: dg.HookExecutionResult = dagster_mlflow.end_mlflow_on_run_finished.hook_fn(context, events)
    return result


end_mlflow_on_run_finished = dg.HookDefinition(
    name="end_mlflow_on_run_finished", hook_fn=_end, required_resource_keys={"mlflow"}
)


@dg.op(required_resource_keys={"mlflow", "tracking"})
def log_environment(context):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - Dagster reads real annotations
    """Versions, commit and lock hash as parameters of an MLflow run; then send what was kept while MLflow was down."""
    context.resources.mlflow.log_params(environment() | machine() | {name: version(name) for name in LIBRARIES})
    done = context.resources.tracking.tracker().send()
    context.resources.mlflow.log_metrics({"runs_sent": len(done.sent), "runs_kept": len(done.kept)})
    for name, reason in done.kept.items():
        context.log.warning("The run %s is kept: %s", name, reason)
    if done.sent:
        context.log.info("Sent %s runs that were kept while MLflow was down.", len(done.sent))


def tracked_job(name: str, op: dg.OpDefinition, tracking: MLflow, description: str) -> dg.JobDefinition:
    """A job of one step within one MLflow run that ends as the step does."""
    resources: Mapping[str, Any] = {"mlflow": mlflow_tracking, "tracking": tracking}

    @end_mlflow_on_run_finished
    @dg.job(name=name, resource_defs=resources, executor_def=dg.in_process_executor, description=description)
    def job() -> None:
        op()

    return job


def mlflow_health(tracking: MLflow) -> dg.JobDefinition:
    """Whether MLflow can be written, and with which environment."""
    return tracked_job(
        HEALTH_JOB,
        log_environment,
        tracking,
        "Log the environment to MLflow, to see that it works, and send kept runs.",
    )


def kept_runs(tracking: MLflow) -> dg.SensorDefinition:
    """Whether runs wait to be sent; if so, and if MLflow answers, the job above sends them."""

    @dg.sensor(
        name="kept_runs",
        job_name=HEALTH_JOB,
        minimum_interval_seconds=300,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Send the runs that were kept while MLflow was down, once it answers.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        waiting = tracking.tracker().waiting()
        if not waiting:
            return dg.SkipReason("Every run was sent.")
        busy = dg.RunsFilter(job_name=HEALTH_JOB, statuses=UNDER_WAY)
        if context.instance.get_runs_count(busy):
            return dg.SkipReason("They are being sent.")
        from platform_ml.adapters.mlflow import connect

        try:
            connect(tracking.uri)
        except StoreError as error:
            return dg.SkipReason(f"{counted(len(waiting), 'run')} cannot be sent yet: {error}")
        return dg.SensorResult(run_requests=[dg.RunRequest()])  # without a key: one that was used is used up

    return sensor
