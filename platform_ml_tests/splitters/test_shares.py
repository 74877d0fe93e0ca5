import hashlib
from fractions import Fraction

import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.splitters import ByHash
from platform_ml.splitters.shares import VALUES, stable_hash, thresholds
from platform_ml.testing.splitters import CUTOFF, Row, split_of


def hashes(columns, rows, salt="s"):
    names = ", ".join(f"{column} AS c{n}" for n, column in enumerate(columns))
    given = ", ".join(f"c{n}" for n in range(len(columns)))
    sql = f"SELECT {stable_hash(salt, given.split(', '))} AS h FROM (SELECT {names} FROM rows)"
    return DuckDB(threads=1).query(sql, {"rows": rows}).table()["h"].to_pylist()


ONE = pa.table({"x": [1]})


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        (["1", "'11'"], "1:s,1:1,2:11"),
        (["11", "'1'"], "1:s,2:11,1:1"),
        (["NULL::BIGINT", "''"], "1:s,null,0:"),
        (["'null'"], "1:s,4:null"),
        (["'日本'"], "1:s,6:日本"),
        (["9007199254740993"], "1:s,16:9007199254740993"),
        (["TRUE"], "1:s,4:true"),
        (["CAST(1.5 AS DECIMAL(9,2))", "DATE '2024-01-31'"], "1:s,4:1.50,10:2024-01-31"),
    ],
)
def test_it_is_the_head_of_a_sha256_and_will_be_forever(columns, text):
    assert hashes(columns, ONE) == [int(hashlib.sha256(text.encode()).hexdigest()[:15], 16)]


def test_keys_do_not_collide():
    parts = ["'1'", "'11'", "''", "'null'", "NULL", "'1,1:1'", "'1:1'"]
    found = [hashes([a, b], ONE)[0] for a in parts for b in parts]
    assert len(set(found)) == len(found)
    assert hashes(["'1'"], ONE, salt="a") != hashes(["'1'"], ONE, salt="b")


def test_thresholds_are_exact():
    shares = (0.7, 0.15, 0.15)
    assert thresholds(shares) == [int(VALUES * Fraction(7, 10)), int(VALUES * Fraction(85, 100))]
    # As doubles, 0.7 + 0.15 is not 0.85.
    assert thresholds((0.1, 0.2, 0.7))[1] == VALUES * 3 // 10


def test_a_split_by_hand():
    """Whoever changes this moves rows of published datasets."""
    found = split_of(ByHash(seed=7), [Row(who, CUTOFF) for who in range(40)], 0)
    micros = int(CUTOFF.timestamp()) * 1_000_000
    for row, split in found.items():
        text = f"8:ByHash 7,{len(str(row.who))}:{row.who},{len(str(micros))}:{micros}"
        share = int(hashlib.sha256(text.encode()).hexdigest()[:15], 16) / VALUES
        assert split == ("train" if share < 0.7 else "validation" if share < 0.85 else "test")
