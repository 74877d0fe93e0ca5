import pytest

from platform_ml_tests.engine.shop import work_in
from platform_ml_tests.origins.postgres import database, server
from platform_ml_tests.origins.sales import Lite, Postgres

__all__ = ["database", "server"]


@pytest.fixture(params=["postgresql", "sqlite"])
def shop(request, tmp_path, monkeypatch):
    """A database that the environment names."""
    if request.param == "sqlite":
        found = Lite(tmp_path / "shop.db")
    else:
        found = Postgres(request.getfixturevalue("server"), request.getfixturevalue("database"))
    monkeypatch.setenv("SALES_URL", found.url)
    return found


@pytest.fixture
def pg(server, database, monkeypatch):
    found = Postgres(server, database)
    monkeypatch.setenv("SALES_URL", found.url)
    return found


@pytest.fixture
def work(tmp_path):
    return work_in(tmp_path / "platform")
