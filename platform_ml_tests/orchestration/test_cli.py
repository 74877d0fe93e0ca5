"""The commands of the README, in a checkout of their own with two days of retail data."""

import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from platform_ml.cli import main
from platform_ml.engine.landing import deliver
from platform_ml.engine.ports import WHOLE
from platform_ml.projects import PROJECTS
from platform_ml.projects.retail.sources import demographics, transactions
from platform_ml.spec.window import Daily
from platform_ml_tests.orchestration.shop import ROOT, Checkout

DAYS = ("2017-01-01", "2017-01-02")
SCRIPTS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    checkout = Checkout.make(tmp_path_factory.mktemp("checkout"))
    for name in ("pyproject.toml", "workspace.yaml"):
        shutil.copy(ROOT / name, checkout.folder)
    two_days = replace(transactions, cadence=Daily(first=date(2017, 1, 1), last=date(2017, 1, 2)))
    work = checkout.platform.work("retail", lambda _: None)
    assert [deliver(source, work=work) for source in (two_days, demographics)] == [2, 1]
    return checkout


def dagster(checkout, *arguments, **environment):
    ran = subprocess.run(
        [SCRIPTS / "dagster", *arguments],
        cwd=checkout.folder,
        env=checkout.environment | environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return ran


def materialize(checkout, select, *options, **environment):
    command = ["asset", "materialize", "-m", "platform_ml.definitions", "--select", select, *options]
    dagster(checkout, *command, **environment)


def snapshot(checkout, name):
    return checkout.platform.work("retail", lambda _: None).platform.tables.snapshot(f"retail/{name}")


@pytest.mark.parametrize("where", [["-w", "workspace.yaml"], []], ids=["workspace.yaml", "pyproject.toml"])
def test_the_definitions_are_valid(checkout, where):
    ran = dagster(checkout, "definitions", "validate", *where)
    lines = (ran.stdout + ran.stderr).splitlines()
    assert any("Validation successful for code location platform_ml" in line for line in lines)
    assert [line for line in lines if "Warning" in line and "SupersessionWarning" not in line] == []


def test_the_assets_are_listed(checkout):
    listed = dagster(checkout, "asset", "list", "-m", "platform_ml.definitions").stdout.split()
    declared = {f"{project.name}/{noun.name}" for project in PROJECTS for noun in project.nouns}
    assert declared <= set(listed)


def test_a_day_then_a_range_then_the_day_again(checkout):
    materialize(checkout, "retail/transactions", "--partition", DAYS[0])
    first = snapshot(checkout, "transactions")
    assert (first.version, list(first.partitions)) == (1, [DAYS[0]])
    assert first.partitions[DAYS[0]].rows > 2_000

    materialize(checkout, "retail/transactions", "--partition-range", "...".join(DAYS))
    both = snapshot(checkout, "transactions")
    assert (both.version, list(both.partitions)) == (2, list(DAYS))
    assert both.partitions[DAYS[0]] == first.partitions[DAYS[0]]

    materialize(checkout, "retail/transactions", "--partition", DAYS[0])
    assert snapshot(checkout, "transactions").version == 2


def test_several_assets_are_listed_with_commas(checkout):
    materialize(checkout, "retail/demographics,retail/customer_profile", PLATFORM_ML_EXECUTOR="")  # as users have it
    assert list(snapshot(checkout, "customer_profile").partitions) == [WHOLE]


def test_everything_lies_below_data(checkout):
    assert {path.name for path in checkout.folder.iterdir()} == {
        "dagster.yaml", "data", "pyproject.toml", "workspace.yaml",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "hint"), [("nope", ""), ("retial", " Did you mean 'retail'?")])
def test_an_unknown_project_is_one_line(name, hint, monkeypatch, capsys):
    monkeypatch.setenv("DAGSTER_HOME", "unused")
    assert main(["land", "--project", name]) == 1
    known = ", ".join(project.name for project in PROJECTS)
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"platform-ml: There is no project {name!r}.{hint} Known: {known}.\n")
