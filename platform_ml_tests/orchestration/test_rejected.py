"""`platform-ml rejected` and `replay`, in a checkout of their own with a day of retail data."""

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from platform_ml.cli import main
from platform_ml.engine.feed import landing_file
from platform_ml.engine.landing import deliver
from platform_ml.projects.retail.sources import transactions
from platform_ml.spec.window import Daily
from platform_ml_tests.orchestration.shop import Checkout

DAY = "2017-01-01"
SCRIPTS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    checkout = Checkout.make(tmp_path_factory.mktemp("checkout"))
    work = checkout.platform.work("retail", lambda _: None)
    deliver(replace(transactions, cadence=Daily(first=date(2017, 1, 1), last=date(2017, 1, 1))), work=work)
    return checkout


def run(checkout, *arguments):
    command = [sys.executable, "-m", "platform_ml.cli", *arguments]
    environment = checkout.environment | {"PATH": f"{SCRIPTS}:{checkout.environment.get('PATH', '')}"}
    return subprocess.run(command, cwd=checkout.folder, env=environment, check=False, capture_output=True, text=True)


def test_a_row_is_rejected_fixed_and_let_in(checkout, monkeypatch, capsys):
    work = checkout.platform.work("retail", lambda _: None)
    file = landing_file(transactions, DAY, work)
    rows = pq.read_table(file)
    bad = rows.slice(5, 1).to_pylist()[0]
    key = transactions.key[0]
    values = rows[key].to_pylist()
    values[5] = None
    at = rows.schema.get_field_index(key)
    pq.write_table(rows.set_column(at, rows.schema.field(key), [values]), file)

    monkeypatch.chdir(checkout.folder)
    monkeypatch.setenv("DAGSTER_HOME", str(checkout.folder))
    assert main(["rejected", "--project", "retail"]) == 0
    assert "In quarantine: 0 rows, 0 whole files." in capsys.readouterr().out
    ran = run(checkout, "replay", "transactions", "--partition", DAY)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"retail/transactions  {DAY}  {file.name}, row 5: {key} is null" in ran.stdout
    before = work.read(transactions, [DAY]).partitions[DAY].rows

    fixes = checkout.folder / "fixes.csv"
    names = list(transactions.types)
    fixes.write_text(f"row_number,{','.join(names)}\n5,{','.join(str(bad[name]) for name in names)}\n")
    ran = run(checkout, "replay", "transactions", "--partition", DAY, "--fixes", str(fixes))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "In quarantine: 0 rows, 0 whole files." in ran.stdout
    assert work.read(transactions, [DAY]).partitions[DAY].rows == before + 1


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["rejected", "transactoins"], "There is no source 'transactoins'. Did you mean 'transactions'?"),
        (["replay", "transactions"], "transactions has partitions: name --partition."),
        (["replay", "demographics", "--partition", DAY], "demographics has no partitions: leave out --partition."),
        (["replay", "transactions", "--partition", DAY, "--fixes", "nowhere.csv"], "nowhere.csv holds no fixes"),
    ],
)
def test_what_cannot_be(checkout, monkeypatch, capsys, arguments, what):
    monkeypatch.chdir(checkout.folder)
    monkeypatch.setenv("DAGSTER_HOME", str(checkout.folder))
    assert main(arguments) == 1
    assert what in capsys.readouterr().err
