from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_ml.engine.audit import Expectation
from platform_ml.engine.table import CHUNK_DAYS, Staged, chunks, ends, publish, split
from platform_ml.spec.window import Daily, Weekly
from platform_ml_tests.engine.shop import customers, stamp

EXPECTED = Expectation(schema={"who": "int64"}, required=("who",), key=("who",))


def staged(**parts):
    names = [key for key, values in sorted(parts.items()) for _ in values]
    values = [value for _, values in sorted(parts.items()) for value in values]
    rows = pa.table({"_partition": pa.array(names, pa.string()), "who": pa.array(values, pa.int64())})
    return Staged(rows=rows, inputs=dict.fromkeys(sorted(parts), "digest"))


def published(work, parts, token=1):
    return publish(customers, staged(**parts), EXPECTED, work=work, stamp=stamp(token))


def test_rows_are_committed_by_partition(work):
    done = published(work, {"a": [1, 2], "b": [], "c": [3]})
    assert {key: state.rows for key, state in done.snapshot.partitions.items()} == {"a": 2, "b": 0, "c": 1}
    assert done.stopped == []


def test_one_bad_partition_keeps_all_of_them_out(work):
    published(work, {"a": [1, 2]})
    before = work.read(customers, ["a"])
    done = published(work, {"a": [1, 2, 3], "b": [4, None], "c": [5, 5]}, token=2)
    assert done.snapshot is None
    assert [(finding.check.name, finding.partition) for finding in done.stopped] == [
        ("not_null", "b"),
        ("unique_key", "c"),
    ]
    assert work.read(customers, ["a"]) == before


def test_a_warning_keeps_nothing_out(work):
    published(work, {"a": list(range(10))})
    done = published(work, {"b": [1]}, token=2)
    assert [finding.reason for finding in done.findings if not finding.passed] == [
        "1 rows; 10 in the partition before."
    ]
    assert done.snapshot.partitions["b"].rows == 1


def test_nothing_that_is_there_is_written_again(work):
    first = published(work, {"a": [1, 2]}).snapshot
    assert published(work, {"a": [1, 2]}, token=2).snapshot.version == first.version
    other = replace(staged(a=[1, 2]), inputs={"a": "another digest"})
    assert publish(customers, other, EXPECTED, work=work, stamp=stamp(3)).snapshot.version == first.version + 1


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdefg"), st.lists(st.integers(0, 9), max_size=4)),
    st.sets(st.sampled_from("abcdefgh")),
)
def test_rows_are_divided_by_their_partition(parts, wanted):
    found = split(staged(**parts).rows, sorted(wanted))
    assert {key: rows.to_pydict()["who"] for key, rows in found.items()} == {key: parts.get(key, []) for key in wanted}


@pytest.mark.parametrize("lookback", [0, 28, 365])
def test_long_ranges_are_computed_in_pieces(lookback):
    keys = Daily(first=date(2023, 1, 1), last=date(2024, 12, 31)).keys()
    found = chunks(keys[::-1], lookback)
    assert [key for some in found for key in some] == keys
    assert {len(some) for some in found[:-1]} == {max(CHUNK_DAYS, lookback)}


def test_a_key_is_computed_once():
    assert chunks(["b", "a", "b"]) == [["a", "b"]]
    assert chunks([]) == []


def test_a_partition_is_over_when_the_next_one_begins():
    assert ends(["2024-02-28"], Daily(first=date(2024, 1, 1))) == {"2024-02-28": datetime(2024, 2, 29, tzinfo=UTC)}
    assert ends(["2024-01-01"], Weekly(first=date(2024, 1, 1))) == {"2024-01-01": datetime(2024, 1, 8, tzinfo=UTC)}
