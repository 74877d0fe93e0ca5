import shutil
import sqlite3

import pytest

from platform_ml.adapters.mlflow import connect


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """An empty database: MLflow takes seconds to make one."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    connect(f"sqlite:///{file}")
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return file


@pytest.fixture
def uri(empty, tmp_path):
    home = tmp_path / "mlflow"
    home.mkdir()
    shutil.copy(empty, home / "mlflow.db")
    return f"sqlite:///{home / 'mlflow.db'}"
