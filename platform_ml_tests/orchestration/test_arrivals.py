"""`platform-ml arrivals`, with a landing place in an S3 store that only the environment knows of."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from platform_ml.cli import main
from platform_ml.engine.landing import deliver
from platform_ml.orchestration.resources import LANDING, PlatformResource
from platform_ml.projects.retail.sources import transactions
from platform_ml.spec.errors import SourceError
from platform_ml.spec.window import Daily
from platform_ml_tests.orchestration.shop import Checkout
from platform_ml_tests.origins import s3

FIRST, SECOND = "2017-01-01", "2017-01-02"


@pytest.fixture(scope="module")
def landing():
    with s3.server(), pytest.MonkeyPatch.context() as patch:
        url = s3.bucket()
        patch.setenv(LANDING, url)
        yield url


@pytest.fixture(scope="module")
def checkout(landing, tmp_path_factory):
    checkout = Checkout.make(tmp_path_factory.mktemp("checkout"))
    two_days = replace(transactions, cadence=Daily(first=date(2017, 1, 1), last=date(2017, 1, 2)))
    work = PlatformResource(data=checkout.platform.data).work("retail", lambda _: None)
    assert work.platform.landing == landing
    assert deliver(two_days, work=work) == 2
    assert deliver(two_days, work=work) == 0
    return checkout


@pytest.fixture
def arrivals(checkout, monkeypatch, capsys):
    monkeypatch.chdir(checkout.folder)
    monkeypatch.setenv("DAGSTER_HOME", str(checkout.folder))

    def command(*arguments):
        assert main(["arrivals", *arguments]) == 0
        said = capsys.readouterr()
        assert s3.SECRET not in said.out + said.err
        return said.out

    return command


def test_days_in_an_object_store_arrive_and_are_loaded(checkout, landing, arrivals):
    s3.put(f"{landing}/retail/transactions/{FIRST}.PARQUET", b"")
    said = json.loads(arrivals("retail", "transactions", "--json"))
    assert [(one["partition"], one["status"]) for one in said if one["status"] in {"new", "growing"}] == [
        (FIRST, "growing"),
        (SECOND, "growing"),
    ]
    command = ["dagster", "asset", "materialize", "-m", "platform_ml.definitions"]
    command += ["--select", "retail/transactions", "--partition", FIRST]
    ran = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=checkout.folder,
        env=checkout.environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert s3.SECRET not in ran.stdout + ran.stderr
    said = json.loads(arrivals("retail", "transactions", "--json"))
    assert next(one["status"] for one in said if one["partition"] == FIRST) == "up to date"
    text = arrivals("retail")
    assert "retail/transactions: 1 up to date, 1 growing, 363 awaited, 1 unexpected\n" in text
    assert f"  unexpected  {FIRST}.PARQUET: fits no partition. Did you mean '{FIRST}.parquet'?\n" in text
    assert text.endswith("To be loaded: 0 partitions.\n")
    assert f"  awaited     {SECOND[:6]}" not in text
    assert "  awaited     2017-12-31  nothing was delivered\n" in arrivals("retail", "transactions", "--all")


def test_a_source_that_is_not_there(capsys):
    assert main(["arrivals", "retail", "transactoins"]) == 1
    assert "retail has no source 'transactoins'. Did you mean 'transactions'?" in capsys.readouterr().err


def test_a_landing_place_holds_no_secrets(tmp_path):
    for place in ("s3://key:word@bucket/in", "https://x.org/in?sig=word"):
        with pytest.raises(SourceError, match="holds a password or a query, which everybody would see") as error:
            PlatformResource(data=str(tmp_path), landing=place).platform()
        assert "word@" not in str(error.value)
        assert "sig" not in str(error.value)
    assert PlatformResource(data=str(tmp_path), landing=str(tmp_path / "in")).platform().landing == tmp_path / "in"
    assert PlatformResource(data=str(tmp_path), landing="").platform().landing == Path(tmp_path, "landing").resolve()
