"""`platform-ml diff` of two versions of a table."""

import json

import pytest

from platform_ml import cli
from platform_ml_tests.orchestration.shop import DAYS, bought_on, orders, shop

DAY = str(DAYS[20])


@pytest.fixture
def run(built, monkeypatch, capsys):
    """A command in the checkout's folder: exit code, lines of output, error."""
    monkeypatch.chdir(built.folder)
    monkeypatch.setenv("DAGSTER_HOME", str(built.folder))
    monkeypatch.setattr("platform_ml.projects.PROJECTS", (shop,))

    def command(*arguments):
        capsys.readouterr()  # Dagster's log of the runs before
        code = cli.main(["diff", *arguments])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return command


@pytest.fixture
def changed(built):
    """One day has lost its first order."""
    built.deliver(DAY, bought_on(DAY)[1:])
    assert built.materialize([orders], partition=DAY).success
    return built


def test_for_people(changed, run):
    code, lines, err = run("orders@1", "shop/orders@latest")
    assert (code, err) == (0, "")
    assert lines[:2] == ["before  shop/orders, version 1", "after   shop/orders, version 2"]
    assert lines[3] == f"partitions: 0 more, 0 fewer, 1 with other rows ({DAY}), 62 the same"
    rows = len(bought_on(DAY))
    assert lines[6].split()[:3] == [DAY, str(rows), str(rows - 1)]
    at = lines.index("columns of the partitions with other rows")
    assert any(line.startswith("amount ") and "mean" in line for line in lines[at:])


def test_for_programs(changed, run):
    code, lines, _ = run("orders@1", "orders@2", "--json", "--partition", DAY)
    found = json.loads("\n".join(lines))
    assert (code, found["same"], [one["partition"] for one in found["changed"]]) == (0, 0, [DAY])
    assert {one["column"] for one in found["columns"]} >= {"order_id", "amount"}


def test_a_version_beside_itself(run):
    _, lines, _ = run("order_history@1", "order_history@1")
    assert lines[-1] == "partitions: 0 more, 0 fewer, 0 with other rows, 63 the same"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ordres@1", "ordres@2"], "There is no table 'ordres'. Did you mean 'orders'?"),
        (["orders@1", "order_history@1"], "orders@1 and order_history@1 are two tables. Compare versions of one."),
        (["orders@first", "orders@1"], "'orders@first' names no version of a table. Write orders@latest, or a number."),
        (["orders@1", "orders@9"], "there is no version 9"),
        (["orders@1", "orders@1", "--partition", "2024-01-99"], "there is no partition '2024-01-99'"),
        (["lapse_dataset@latest", "lapse_dataset@latest", "--partition", DAY], "--partition is for tables"),
    ],
)
def test_what_cannot_be(run, arguments, message):
    code, _, err = run(*arguments)
    assert code == 1
    assert message in err
