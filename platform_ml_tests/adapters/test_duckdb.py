import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.spec.errors import PlatformError

KINDS = """
    1 AS whole, 1.5::DECIMAL(9, 2) AS exact, 'a' AS "a name", now() AS at, DATE '2024-01-01' AS day,
    [1.5::DOUBLE] AS list,
    {'a': 1, 'b c': ['x']} AS nested, 'a'::ENUM('a', 'b') AS chosen, MAP {'k': 1} AS pairs, NULL AS nothing
"""


def test_types_are_those_that_duckdb_describes_and_nothing_runs_for_them():
    described = DuckDB().query(f"DESCRIBE SELECT {KINDS}", {}).table()
    answer = DuckDB().query(f"SELECT {KINDS} FROM range(1_000_000_000_000)", {})
    assert answer.types() == dict(zip(*(described[n].to_pylist() for n in ("column_name", "column_type")), strict=True))


def test_what_cannot_be_asked_is_a_platform_error():
    with pytest.raises(PlatformError, match="nowhere"):
        DuckDB().query("FROM nowhere", {})
