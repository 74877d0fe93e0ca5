"""GitHub's workflow: as GitHub takes it, with no more rights than it needs, and nothing that only GitHub can do."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / ".github/workflows/ci.yml"
TEXT = FILE.read_text()
WORKFLOW = yaml.safe_load(TEXT)
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_it_is_what_github_says_that_a_workflow_is():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_may_read_and_nothing_else():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in WORKFLOW["jobs"].values())
    assert "secrets" not in TEXT
    assert set(WORKFLOW[True]) == {"push", "pull_request"}  # YAML 1.1 reads `on` as true


def test_every_action_is_one_of_githubs_own_by_its_major_version():
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in used)


def test_every_job_ends_and_a_newer_push_takes_the_place_of_an_older_one():
    assert all(0 < job["timeout-minutes"] <= 60 for job in WORKFLOW["jobs"].values())
    assert "github.ref" in WORKFLOW["concurrency"]["group"]


def test_all_of_history_is_there_and_no_credentials_stay():
    (checkout,) = [step["with"] for step in STEPS if step.get("uses", "").startswith("actions/checkout")]
    assert (checkout["fetch-depth"], checkout["persist-credentials"]) == (0, False)


def test_it_runs_what_everybody_can_run():
    commands = [step["run"] for step in STEPS if "run" in step]
    assert commands == ["make test PYTHON=python", '.ci/dagster "$BASE"']
    assert os.access(ROOT / ".ci/dagster", os.X_OK)
    # What somebody else wrote reaches a shell through the environment only.
    assert not any("${{" in command for command in commands)


def test_it_tests_every_python_that_is_said_to_do():
    versions = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert all(isinstance(version, str) for version in versions)
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert oldest == f">={versions[0]}"


@pytest.mark.parametrize("name", ["cards", "alerts", "changed.json"])
def test_what_the_script_leaves_is_kept(name):
    (upload,) = [step["with"] for step in STEPS if step.get("uses", "").startswith("actions/upload-artifact")]
    assert f"build/ci/{name}" in upload["path"].split()
    assert "build/screenshots" in upload["path"].split()
