"""The processes that stay up, and what waits for them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

LOOKING = ("DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS", "DAGSTER_SCHEDULE_GRPC_TIMEOUT_SECONDS")
LOOKING_SECONDS = "300"
"""How long one look of a sensor or schedule may take; Dagster's minute is short for thousands of new files."""
WORKSPACE = Path(__file__).resolve().parents[2] / "workspace.yaml"


def register(commands: _SubParsersAction) -> None:
    """Add ui, daemon and tracking."""
    ui = commands.add_parser("ui", help="Dagster's webserver and daemon, and how to open MLflow's")
    ui.add_argument("--port", type=int, default=3000, help="of the webserver; %(default)s, if left out")
    ui.set_defaults(run=_ui)
    daemon = commands.add_parser("daemon", help="Dagster's daemon, one at a time: a second one waits for its turn")
    daemon.add_argument(
        "-w", "--workspace", metavar="FILE", default=str(WORKSPACE), help="workspace.yaml of the checkout, if left out"
    )
    daemon.set_defaults(run=_daemon)
    tracking = commands.add_parser("tracking", help="send runs that were kept while MLflow was down")
    tracking.set_defaults(run=_tracking)


def _ui(options: Namespace) -> int:
    from platform_ml.orchestration.ui import serve

    return serve(options.port)


def _daemon(options: Namespace) -> int:
    for name in LOOKING:  # Dagster reads them when it is imported
        os.environ.setdefault(name, LOOKING_SECONDS)
    from platform_ml.orchestration.daemon import run_daemon

    return run_daemon(["-w", options.workspace])


def _tracking(options: Namespace) -> int:
    from platform_ml.orchestration.tracked import send_kept

    return send_kept()
