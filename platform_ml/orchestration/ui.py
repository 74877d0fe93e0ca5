"""Dagster's webserver and daemon side by side, as in a small deployment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from platform_ml.orchestration.alert_sinks import UI_URL

ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 20


def mlflow_command() -> str:
    """How to open MLflow's web page on the embedded store."""
    store = Path("data", "mlflow", "mlflow.db")
    return f"{Path(sys.executable).parent / 'mlflow'} ui --backend-store-uri sqlite:///{store} --port 5000"


def environment(port: int) -> dict[str, str]:
    """What both see: links in alerts lead to this webserver, unless somebody has said where people open it."""
    return {UI_URL: f"http://localhost:{port}"} | os.environ


def serve(port: int) -> int:
    """Run both until one ends or the user interrupts."""
    scripts = Path(sys.executable).parent
    workspace = ["-w", str(ROOT / "workspace.yaml")]
    # A fresh home that two processes open at once makes both fail.
    subprocess.run([str(scripts / "dagster"), "instance", "migrate"], check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    print(f"Dagster   http://localhost:{port}   (ctrl-c stops it)")
    print(f"MLflow    {mlflow_command()}")
    commands = [
        [str(scripts / "dagster-webserver"), *workspace, "--host", "127.0.0.1", "--port", str(port)],
        [str(scripts / "platform-ml"), "daemon", *workspace],
    ]
    processes = [subprocess.Popen(command, cwd=ROOT, env=environment(port)) for command in commands]
    try:
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
    except KeyboardInterrupt:
        pass
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(STOP_SECONDS)
    return max(process.returncode for process in processes if process.returncode is not None)
