"""A deployment on this machine: code server, daemon and webserver as processes, in a folder of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import yaml

from platform_ml_tests.deployment import project as deployed
from platform_ml_tests.engine import shop as rows
from platform_ml_tests.origins.postgres import PASSWORD, free_port

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PATIENCE = 300
"""Seconds for anything that has to come, on however slow a machine."""
DAEMON = """
import sys
from dagster._daemon import asset_daemon as assets, controller, sensor
controller.DEFAULT_DAEMON_INTERVAL_SECONDS = 2  # where Dagster takes 30, 60, 5 and 5
controller.RELOAD_WORKSPACE_INTERVAL = 10
sensor.MIN_INTERVAL_LOOP_TIME = assets.MIN_INTERVAL_LOOP_SECONDS = 1
from platform_ml.orchestration.daemon import run_daemon
sys.exit(run_daemon(sys.argv[1:]))
"""
CODE = """
import multiprocessing as mp, sys
from multiprocessing import forkserver
forked = mp.get_context("forkserver")  # where Dagster spawns, and each run imports everything anew
forked.set_forkserver_preload(["platform_ml.orchestration.preload", sys.argv[1]])
mp.get_context = lambda _=None: forked
forkserver.ensure_running()
from dagster._cli import cli
cli.main(sys.argv[2:])
"""
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


class Deployment:
    """PostgreSQL, when there is a server, with deploy/dagster.yaml; SQLite with the dagster.yaml of a checkout."""

    def __init__(self, folder, server=None, locations=("deployed",), module=deployed.__name__):
        self.folder, self.server, self.module = folder, server, module
        self.processes, self.ports = {}, {name: free_port() for name in (*locations, "webserver")}
        (folder / "said").mkdir(parents=True)  # Dagster clears a folder `logs` of its home
        (folder / "data").mkdir()
        settings = yaml.safe_load((ROOT / ("deploy" if server else "") / "dagster.yaml").read_text())
        settings["run_launcher"]["config"]["silences"] = PATIENCE
        settings["run_monitoring"]["poll_interval_seconds"] = 1
        settings["run_queue"] = {
            "dequeue_interval_seconds": 1,
            "max_user_code_failure_retries": PATIENCE,
            "user_code_failure_retry_delay": 1,
        }
        (folder / "dagster.yaml").write_text(yaml.safe_dump(settings))
        servers = [
            {"grpc_server": {"host": "127.0.0.1", "port": self.ports[name], "location_name": name}}
            for name in locations
        ]
        (folder / "workspace.yaml").write_text(yaml.safe_dump({"load_from": servers}))
        self.environment = os.environ | {
            "DAGSTER_HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",
            "PLATFORM_ML_EXECUTOR": "in_process",
            "DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS": "1",  # who tries failed runs again looks so often
        }
        if server:
            self.database = f"d{time.monotonic_ns()}"
            server.execute(f"CREATE DATABASE {self.database}")
            self.environment |= {
                "DAGSTER_PG_HOST": "127.0.0.1",
                "DAGSTER_PG_PORT": str(server.port),
                "DAGSTER_PG_DB": self.database,
                "DAGSTER_PG_USERNAME": "admin",
                "DAGSTER_PG_PASSWORD": PASSWORD,
                "DAGSTER_COMPUTE_LOGS": str(folder / "compute"),
            }

    @property
    def work(self):
        """The tables, as the deployment has them."""
        return deployed.PlatformResource(data=str(self.folder / "data")).work("deployed", lambda _: None)

    def deliver(self, days):
        """Land the files of these days."""
        rows.deliver(self.work, rows.invented(1, customers=20, days=days), days=days, source=deployed.orders)

    # Processes.

    def run(self, *command):
        """A command that ends."""
        done = subprocess.run(
            [BIN / command[0], *command[1:]],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name, *, kind=None, **environment):
        """The process of this name, with these variables; it may need some time until it answers."""
        workspace = ("-w", str(self.folder / "workspace.yaml"))
        local = ("--host", "127.0.0.1", "--port", str(self.ports.get(name, 0)))
        server = ("api", "grpc", "--lazy-load-user-code", "-m", self.module)
        commands = {
            "daemon": [sys.executable, "-c", DAEMON, *workspace],
            "webserver": [BIN / "dagster-webserver", *workspace, *local],
            "code": [sys.executable, "-c", CODE, self.module, *server, *local],
        }
        default = name if name in commands else "code"
        with (self.folder / "said" / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                commands[kind or default],
                cwd=self.folder,
                env=self.environment | environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # its children end with it when it is killed as a group
            )
        return self.processes[name]

    def log(self, name):
        """What a process has said so far."""
        return (self.folder / "said" / f"{name}.log").read_text(errors="replace")

    def kill(self, name):
        """Kill -9 of the process and of everything that it started and that is still its own."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, name):
        """As an operator would."""
        process = self.processes.pop(name)
        process.terminate()
        process.wait(PATIENCE)

    def close(self):
        """End everything."""
        for name in list(self.processes):
            self.kill(name)

    # Waiting.

    def wait(self, what, found):
        """The first answer of `found` that is something; whatever it raises while a server is away is no answer."""
        end, last = time.monotonic() + PATIENCE, None
        while True:
            try:
                if last := found():
                    return last
            except (URLError, ConnectionError, TimeoutError, NotReadyError) as error:
                last = error
            if time.monotonic() > end:
                logs = "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in self.folder.glob("said/*.log"))
                raise AssertionError(f"waited in vain until {what}; the last answer: {last}\n{logs}")
            time.sleep(0.3)

    def ready(self, location="deployed"):
        """Until the webserver answers and the location is loaded."""
        self.wait(f"{location} is loaded", lambda: self._loaded(location))

    def _loaded(self, location):
        if (why := self.locations()[location]).startswith("Could not reach"):
            self.reload(location)
        return not why

    def held(self, runs=1):
        """The ids of the run workers that are held now, once there are so many; a killed one is held no more."""

        def workers():
            found = [int(file.name.partition("-")[2]) for file in self.folder.glob("held-*")]
            alive = [worker for worker in found if self._is_ours(worker)]
            return alive if len(alive) >= runs else []

        return self.wait("runs are held", workers)

    def _is_ours(self, worker):
        """Whether it lives and was started by the code server that is at work: numbers are used again."""
        try:
            return os.getpgid(worker) == self.processes["deployed"].pid
        except ProcessLookupError:
            return False

    # GraphQL.

    def ask(self, query, **variables):
        """The data of one GraphQL document."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        url = f"http://127.0.0.1:{self.ports['webserver']}/graphql"
        with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=30) as answer:
            found = json.load(answer)
        if found.get("errors"):
            raise NotReadyError(json.dumps(found["errors"])[:2000])
        return found["data"]

    def locations(self):
        """Code location → why it could not be loaded; empty where it was."""
        found = self.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
        return {
            one["name"]: "loading" if one["loadStatus"] == "LOADING" else _causes(one["locationOrLoadError"])
            for one in found
        }

    def reload(self, name="deployed"):
        """What the button of the web page does."""
        self.ask(RELOAD, name=name)

    def launch(self, day, asset="orders"):
        """The id of a run that loads one day."""
        selector = {
            "repositoryLocationName": "deployed",
            "repositoryName": "__repository__",
            "pipelineName": "__ASSET_JOB",
            "assetSelection": [{"path": ["deployed", asset]}],
            "assetCheckSelection": None,
        }
        tags = [{"key": "dagster/partition", "value": str(day)}]
        found = self.ask(LAUNCH, params={"selector": selector, "executionMetadata": {"tags": tags}})["launchRun"]
        return found["run"]["runId"]

    def backfill(self, days, assets=("orders",)):
        """The id of a backfill; days that do not follow each other are runs of their own."""
        found = self.ask(
            BACKFILL,
            params={
                "assetSelection": [{"path": ["deployed", name]} for name in assets],
                "partitionNames": [str(day) for day in days],
            },
        )["launchPartitionBackfill"]
        return found["backfillId"]

    def backfill_status(self, name):
        """REQUESTED, COMPLETED_SUCCESS, ..."""
        found = self.ask(BACKFILL_STATUS, name=name)["partitionBackfillOrError"]
        return found["status"]

    def backfilled(self, name):
        """Until nothing is left to do."""
        return self.wait("the backfill ends", lambda: _ended(self.backfill_status(name)))

    def runs(self, **tags):
        """Every run with these tags, oldest first."""
        wanted = {"tags": [{"key": key, "value": value} for key, value in tags.items()]} if tags else None
        found = self.ask(RUNS, filter=wanted)["runsOrError"]["results"]
        return [
            {"id": one["runId"], "status": one["status"], "tags": {tag["key"]: tag["value"] for tag in one["tags"]}}
            for one in reversed(found)
        ]

    def ended(self, run):
        """How a run ended."""

        def status():
            found = next(one["status"] for one in self.runs() if one["id"] == run)
            return found if found in ENDED else ""

        return self.wait(f"run {run} ends", status)

    def tick(self, sensor):
        """The newest tick of a sensor: its status, and what went wrong; empty before the first has ended."""
        selector = {
            "repositoryLocationName": "deployed",
            "repositoryName": "__repository__",
            "sensorName": sensor,
        }
        ticks = self.ask(TICKS, selector=selector)["sensorOrError"]["sensorState"]["ticks"]
        return next(((one["status"], _causes(one["error"] or {})) for one in ticks if one["status"] != "STARTED"), ())

    def said(self, run):
        """Every message of a run's event log; after a restart of the database the first question may fail."""
        events = self.wait(f"run {run} is told of", lambda: self.ask(EVENTS, run=run)["logsForRun"]["events"])
        return "\n".join(filter(None, (f"{e.get('message', '')} {_causes(e.get('error') or {})}" for e in events)))

    # Tables.

    def snapshot(self, table="orders"):
        """The newest version of a table; None before the first."""
        return self.work.platform.tables.snapshot(f"deployed/{table}")

    def commits(self, table="orders"):
        """Partition → how many commits wrote it; what they wrote is read back and verified."""
        if (snapshot := self.snapshot(table)) is None:
            return {}
        self.work.platform.tables.verify(snapshot)
        return {key: len(made) for key, made in snapshot.commits.items()}


class NotReadyError(Exception):
    """The webserver answers, but not yet what was asked."""


def _causes(error):
    """What an error says, and what its causes say."""
    chain = [one["error"] for one in error.get("errorChain", [])]
    return " ".join(one["message"] for one in (error, *chain) if one.get("message"))


def _ended(status):
    return "" if status in {"REQUESTED", "CANCELING", "FAILING"} else status


LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus locationOrLoadError {
    __typename ... on PythonError { message errorChain { error { message } } } } } } } }"""
RELOAD = """mutation($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }"""
LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
    ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } } } }"""
BACKFILL = """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
BACKFILL_STATUS = """query($name: String!) { partitionBackfillOrError(backfillId: $name) {
    ... on PartitionBackfill { status error { message } } } }"""
TICKS = """query($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) { ... on Sensor {
    sensorState { ticks(limit: 2) { status error { message errorChain { error { message } } } } } } } }"""
RUNS = """query($filter: RunsFilter) { runsOrError(filter: $filter) {
    ... on Runs { results { runId status tags { key value } } } } }"""
EVENTS = """query($run: ID!) { logsForRun(runId: $run) { ... on EventConnection { events {
    ... on MessageEvent { message }
    ... on ExecutionStepFailureEvent { error { message errorChain { error { message } } } } } } } }"""
