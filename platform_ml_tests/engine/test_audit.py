import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.audit import RANGES, TABLE_CHECKS, Expectation, audit
from platform_ml.spec.schema import Column, Double

DAY = datetime(2024, 2, 1, tzinfo=UTC)
KEYS = ("2024-02-01", "2024-02-02")
KINDS = {"_partition": pa.string(), "who": pa.int64(), "at": pa.timestamp("us", "UTC"), "amount": pa.float64()}
EXPECTED = Expectation(
    schema={"who": "int64", "at": "timestamp[us, tz=UTC]", "amount": "double"},
    required=("who", "at"),
    key=("who", "at"),
    time="at",
    span={key: (DAY + timedelta(days=n), DAY + timedelta(days=n, hours=23)) for n, key in enumerate(KEYS)},
)


def rows(*plain, **kinds):
    kinds = KINDS | kinds
    full = [{"_partition": KEYS[0], "who": 1, "at": DAY, "amount": 1.0} | row for row in plain]
    return pa.table({name: pa.array([row[name] for row in full], kind) for name, kind in kinds.items()})


def found(table, expected=EXPECTED, partitions=KEYS[:1], before=None):
    earlier = {} if before is None else {"2024-01-31": before}
    return audit(table, expected, partitions=partitions, before=earlier, compute=DuckDB(threads=1))


def failed(*arguments, **others):
    return {f"{f.partition} {f.check.name}": f.reason for f in found(*arguments, **others) if not f.passed}


def test_good_rows_pass_every_check():
    findings = found(rows({}, {"who": 2}))
    assert [finding.check for finding in findings] == list(TABLE_CHECKS)
    assert all(finding.passed for finding in findings)
    assert not any(finding.stops for finding in findings)


def test_a_null_where_none_may_be():
    (reason,) = failed(rows({"who": None}, {"amount": None})).values()
    assert reason == "1 nulls in who."


def test_values_outside_of_what_is_declared_elsewhere():
    bounds = {"amount": Column("paid", Double(), minimum=0, maximum=10)}
    expected = replace(EXPECTED, bounds=bounds)
    assert failed(rows({"amount": 0.0}, {"who": 2, "amount": 10.0}, {"who": 3, "amount": None}), expected) == {}
    assert failed(rows({"amount": -0.1}, {"who": 2, "amount": 10.1}), expected) == {
        "2024-02-01 ranges": "2 values of amount are outside of what is declared."
    }
    assert RANGES not in [finding.check for finding in found(rows({}))]


def test_a_repeated_key():
    assert failed(rows({}, {}, {}, {"who": 2})) == {"2024-02-01 unique_key": "2 rows repeat a key of (who, at)."}


def test_the_same_key_in_another_partition_is_no_repetition():
    expected = Expectation(schema=EXPECTED.schema, required=(), key=("who",))
    assert failed(rows({}, {"_partition": KEYS[1]}), expected, partitions=KEYS) == {}


@pytest.mark.parametrize(("hours", "fresh"), [(0, True), (23, True), (-1, False), (24, False)])
def test_rows_of_another_time(hours, fresh):
    failures = failed(rows({"at": DAY + timedelta(hours=hours)}))
    assert list(failures) == ([] if fresh else ["2024-02-01 fresh"])


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (rows({}, amount=pa.float32()), "amount is float"),
        (rows({}, at=pa.timestamp("us")), r"at is timestamp\[us\]"),
        (rows({}).drop_columns(["amount"]), "another order or missing columns"),
        (rows({}).select(["_partition", "at", "who", "amount"]), "another order or missing columns"),
        (rows({}).append_column("more", pa.array([1])), "more is int64"),
    ],
    ids=["type", "zone", "missing", "order", "more"],
)
def test_other_columns_keep_every_partition_out(table, said):
    findings = found(table, partitions=KEYS)
    assert [(finding.check.name, finding.partition, finding.stops) for finding in findings] == [
        ("schema", key, True) for key in KEYS
    ]
    assert findings[0].reason.startswith("Expected {'who': 'int64', ")
    assert re.search(said, findings[0].reason)


@pytest.mark.parametrize(
    ("before", "count", "passed", "said"),
    [
        (None, 1, True, "1 rows; nothing to compare with."),
        (None, 0, False, "0 rows; nothing to compare with."),
        (10, 15, True, "15 rows; 10 in the partition before."),
        (10, 16, False, "16 rows; 10 in the partition before."),
        (10, 5, True, "5 rows; 10 in the partition before."),
        (10, 4, False, "4 rows; 10 in the partition before."),
        (0, 4, True, "4 rows; nothing to compare with."),
    ],
)
def test_as_many_rows_as_usual(before, count, passed, said):
    table = rows(*({"who": n} for n in range(count)))
    (finding,) = (finding for finding in found(table, before=before) if finding.check.name == "volume")
    assert (finding.passed, finding.reason, finding.stops) == (passed, said, False)


def test_partitions_are_compared_with_the_one_before():
    many = [{"who": n} for n in range(10)] + [{"_partition": KEYS[1], "at": DAY + timedelta(days=1)}]
    assert failed(rows(*many), partitions=KEYS) == {"2024-02-02 volume": "1 rows; 10 in the partition before."}


def test_an_empty_partition_is_found_though_no_row_says_so():
    findings = found(rows({"_partition": KEYS[1], "at": DAY + timedelta(days=1)}), partitions=KEYS)
    assert {finding.partition for finding in findings} == set(KEYS)
    assert [finding.reason for finding in findings if finding.check.name == "fresh"].count("No rows.") == 1


def test_a_table_without_time_is_held_against_none():
    expected = Expectation(schema=EXPECTED.schema, required=(), key=("who",))
    assert [finding.check.name for finding in found(rows({}), expected)] == [
        "schema",
        "not_null",
        "unique_key",
        "volume",
    ]


def test_columns_may_be_called_like_what_is_counted():
    named = ("n", "nulls", "first", "last", "rows", "duplicates")
    table = pa.table({"_partition": [KEYS[0]] * 3, **{name: [1, 2, 2] for name in named}})
    expected = Expectation(schema=dict.fromkeys(named, "int64"), required=named, key=named)
    assert failed(table, expected) == {"2024-02-01 unique_key": f"1 rows repeat a key of ({', '.join(named)})."}
