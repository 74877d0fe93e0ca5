"""The Dockerfile, as far as it can be held without Docker: what it copies, pins, runs as and starts."""

import fnmatch
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from platform_ml.orchestration import environment as module

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy"


def instructions():
    """(name, rest) of every instruction, lines that go on joined, comments left out."""
    lines = [line for line in (FOLDER / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    for whole in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if whole.strip():
            name, _, rest = whole.strip().partition(" ")
            yield name, rest.strip()


FOUND = list(instructions())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def of(name):
    return [rest for one, rest in FOUND if one == name]


def copied():
    """Paths that are copied from the context."""
    words = [shlex.split(rest) for rest in of("COPY")]
    return [path for one in words if not one[0].startswith("--from") for path in one[:-1]]


def test_every_instruction_is_one():
    known = {"FROM", "ARG", "ENV", "RUN", "COPY", "WORKDIR", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"}
    assert {name for name, _ in FOUND} <= known
    assert FOUND[0][0] == "FROM"
    assert len(of("CMD")) == len(of("HEALTHCHECK")) == len(of("USER")) == 1


def test_python_is_pinned_to_a_patch_that_the_project_takes():
    images = {rest.split()[0] for rest in of("FROM")}
    (image,) = images
    version = re.fullmatch(r"python:(\d+\.\d+\.\d+)-slim-[a-z]+(@sha256:[0-9a-f]{64})?", image)[1]
    assert Version(version) in SpecifierSet(PROJECT["requires-python"])


@pytest.mark.parametrize("path", copied())
def test_what_is_copied_is_there_and_not_ignored(path):
    assert (ROOT / path).exists()
    ignored = False
    for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and fnmatch.fnmatch(path, pattern):
            ignored = not line.startswith("!")
    assert not ignored


def test_the_context_holds_nothing_else():
    allowed = [line[1:] for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"]
    assert sorted(allowed) == sorted(set(copied()))


def test_packages_come_from_the_lock_file_with_extras_that_there_are():
    (installs,) = [rest for rest in of("RUN") if "pip install" in rest]
    assert "-c requirements.lock" in installs
    (extras,) = [rest.partition("=")[2] for rest in of("ARG") if rest.startswith("EXTRAS=")]
    assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()


def test_it_does_not_run_as_root_and_its_home_is_where_the_instance_is_described():
    names = [name for name, _ in FOUND]
    assert of("USER") == ["platform"]
    assert names.index("USER") > max(number for number, name in enumerate(names) if name in {"RUN", "COPY"})
    assert "DAGSTER_HOME=/app" in of("ENV")[-1].split()
    assert "dagster.yaml" in copied()
    assert of("WORKDIR")[-1] == "/app"


def test_what_it_starts_and_asks_is_a_command_with_arguments():
    start = json.loads(of("CMD")[0])
    scripts = {word for word in re.findall(r"[\w-]+", start[2]) if word.startswith("dagster")}
    assert scripts == {"dagster", "dagster-webserver"}
    health = json.loads(of("HEALTHCHECK")[0].partition("CMD")[2])
    assert health[0] == "python"
    compile(health[2], "healthcheck", "exec")
    (port,) = of("EXPOSE")
    assert f"--port {port}" in start[2]
    assert f":{port}/" in health[2]


def test_an_image_says_its_commit(monkeypatch):
    """There is no checkout in an image."""
    monkeypatch.setattr(module, "ROOT", Path("/"))
    for name, value in (("PLATFORM_ML_GIT_COMMIT", "abc"), ("PLATFORM_ML_GIT_DIRTY", "false")):
        assert f"{name}=$" in of("ENV")[-1]
        monkeypatch.setenv(name, value)
    said = module.environment.__wrapped__()
    assert (said["git_commit"], said["git_dirty"]) == ("abc", "false")
