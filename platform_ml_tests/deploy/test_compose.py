"""The Compose file, read by Compose itself, which needs no engine for that."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "deploy"
VARIABLES = {
    "DAGSTER_PG_PASSWORD": "s3cret",
    "PLATFORM_ML_HTPASSWD": "alice:x",
    "PLATFORM_ML_OPERATORS": "alice operator;",
}
COMPOSE = Path(sys.executable).parent / "docker-compose"


def compose(**variables):
    """`docker compose config` in an environment of these variables alone."""
    return subprocess.run(
        [COMPOSE, "-f", FOLDER / "docker-compose.yaml", "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables},
    )


@pytest.fixture(scope="module")
def services():
    done = compose(**VARIABLES)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return json.loads(done.stdout)["services"]


def test_every_service_is_watched_limited_and_started_again(services):
    assert set(services) == {"postgres", "migrate", "code", "daemon", "webserver", "viewer", "mlflow", "nginx"}
    for name, service in services.items():
        assert service["restart"] in {"unless-stopped", "on-failure"}
        if name != "migrate":  # it ends
            assert service["healthcheck"]["test"], name
            assert service["deploy"]["resources"]["limits"]["memory"], name
        assert re.search(r":[^:]*\d|platform_ml:latest$", service["image"]), "an image has a version"


def test_only_the_guard_can_be_reached_and_from_this_machine(services):
    reached = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert list(reached) == ["nginx"]
    assert [(port["host_ip"], port["target"]) for port in reached["nginx"]] == [("127.0.0.1", 8080)]


def test_tables_are_made_before_anything_opens_them(services):
    for name in ("code", "daemon", "webserver", "viewer"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert services["viewer"]["command"][-1] == "--read-only"
    assert set(services["viewer"]["command"]) - set(services["webserver"]["command"]) == {"--read-only"}
    assert services["daemon"]["command"][:2] == ["platform-ml", "daemon"]


def test_what_is_mounted_is_there_and_is_what_the_commands_read(services):
    for service in services.values():
        for volume in service.get("volumes", ()):
            assert volume["type"] == "volume" or Path(volume["source"]).is_file()
    [server] = yaml.safe_load((FOLDER / "workspace.yaml").read_text())["load_from"]
    command = services["code"]["command"]
    assert server["grpc_server"]["host"] == "code"
    assert str(server["grpc_server"]["port"]) == command[command.index("--port") + 1]
    wanted = set(re.findall(r"env: (\w+)", (FOLDER / "dagster.yaml").read_text()))
    for name in ("migrate", "code", "daemon", "webserver", "viewer"):
        assert wanted <= services[name]["environment"].keys()


@pytest.mark.parametrize("missing", ["DAGSTER_PG_PASSWORD"])
def test_without_its_secrets_nothing_starts(missing):
    done = compose(**{name: value for name, value in VARIABLES.items() if name != missing})
    assert done.returncode != 0
    assert missing in done.stderr


def test_no_secret_is_in_a_file():
    text = "".join(path.read_text() for path in FOLDER.rglob("*") if path.is_file())
    assert not re.search(r"(?i)password['\"]?[:=] *['\"]?[a-z0-9]{3}", text)


def test_every_variable_is_documented(services):
    page = (FOLDER.parent / "docs" / "deployment.md").read_text()
    text = "".join(path.read_text() for path in FOLDER.rglob("*") if path.is_file())
    named = set(re.findall(r"\$\{(\w+)", text)) | set(re.findall(r"env: (\w+)", text))
    for service in services.values():
        named |= service.get("environment", {}).keys()
    assert {name for name in named if f"`{name}`" not in page} == {"EXTRAS"}  # an argument of the build
