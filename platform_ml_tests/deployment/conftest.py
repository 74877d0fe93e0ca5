import os
import shutil
import tempfile
from pathlib import Path

import pytest

from platform_ml_tests.deployment.harness import Deployment
from platform_ml_tests.deployment.project import DAYS
from platform_ml_tests.origins.postgres import Server

KILLS = int(os.environ.get("PLATFORM_ML_KILLS", "6"))
"""`make test-kills` makes it many; then every deployment goes through the same on PostgreSQL and on SQLite."""


def debian():
    """Where Debian keeps the newest PostgreSQL; None where it has none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parents[1] if found else None


@pytest.fixture(scope="module")
def postgres():
    """A server that tests may crash."""
    folder = Path(tempfile.mkdtemp(prefix="platform-ml-deployed-"))
    try:
        server = Server(folder, debian())
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module", params=["postgresql", "sqlite"] if KILLS > 6 else ["postgresql"])
def deployment(request, tmp_path_factory):
    """A deployment at work; its runs of a day are made by no other test."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    made = Deployment(tmp_path_factory.mktemp("deployment") / "home", server, locations=("deployed", "other"))
    try:
        made.deliver(DAYS)
        made.run("dagster", "instance", "migrate")  # nobody else makes the tables meanwhile
        for name in ("deployed", "daemon", "webserver"):
            made.start(name)
        made.ready()
        yield made
    finally:
        made.close()
