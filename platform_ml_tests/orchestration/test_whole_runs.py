"""A run whose tags cannot be written is not written either: as if the daemon was killed in between."""

import pytest
from dagster import DagsterRun, RunsFilter
from dagster_postgres import PostgresRunStorage

from platform_ml.orchestration.whole_runs import ADD, add_whole_runs
from platform_ml_tests.origins.postgres import database, server

__all__ = ["database", "server"]

KEY = {"dagster/run_key": "2024-01-01"}
REFUSED = {"refused": "PostgreSQL takes no \0"}


@pytest.fixture
def storage(server, database):
    return PostgresRunStorage(server.url(database).replace("postgresql:", "postgresql+psycopg2:"))


def test_a_run_and_its_tags_are_added_together_or_not_at_all(storage, monkeypatch):
    monkeypatch.setattr(PostgresRunStorage, ADD, getattr(PostgresRunStorage, ADD))  # put back in the end
    with pytest.raises(ValueError, match="NUL"):
        storage.add_run(DagsterRun("job", run_id="half", tags=KEY | REFUSED))
    assert storage.get_runs(RunsFilter(run_ids=["half"]))  # what Dagster does
    assert not storage.get_runs(RunsFilter(tags=KEY))
    add_whole_runs(storage)
    with pytest.raises(ValueError, match="NUL"):
        storage.add_run(DagsterRun("job", run_id="none", tags=KEY | REFUSED))
    assert not storage.get_runs(RunsFilter(run_ids=["none"]))
    storage.add_run(DagsterRun("job", run_id="whole", tags=KEY))
    assert [run.run_id for run in storage.get_runs(RunsFilter(tags=KEY))] == ["whole"]
