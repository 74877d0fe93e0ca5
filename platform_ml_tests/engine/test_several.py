import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.engine.delivery import read
from platform_ml.engine.quarantine import fix, rejected_files, rejected_rows
from platform_ml.formats import CSV, JSONLines, Parquet
from platform_ml.spec.errors import SourceError
from platform_ml.spec.schema import Column, Integer
from platform_ml.spec.schema import Decimal as Exact
from platform_ml_tests.engine.feeds import DAY, MANY, ONE, load, put
from platform_ml_tests.engine.shop import make, rows_of

VALUED = replace(MANY, columns=(*MANY.columns, Column("value", Integer(), nullable=True)), max_rejected_share=1.0)


def lines(work, name, *rows):
    """A file with a column that was not declared."""
    file = work.platform.landing / f"shop/visits/{DAY}/{name}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{row}\n" for row in ("id,at,value,till", *rows)))


def row(number, value="", till="x"):
    return f"{number},{DAY}T12:00:00Z,{value},{till}"


def test_all_files_of_a_partition_are_read(work):
    for name, ids in (("c", [5, 1]), ("a", [4]), ("b", [3, 2])):
        put(work, f"{DAY}/{name}.csv", ids)
    (done,) = make(work, MANY, [DAY])
    assert not done.stopped
    assert [row["id"] for row in rows_of(work, MANY, [DAY])] == [1, 2, 3, 4, 5]


def test_a_rejected_row_says_its_file_and_line(work):
    lines(work, "a.csv", row(1), row("x"), row(2))
    lines(work, "b.csv", row(3), row(4, "many"))
    lines(work, "c.csv", "half", row(5))
    make(work, VALUED, [DAY])
    kept = list(rejected_rows(VALUED, work=work))
    assert [(one.file, one.line, one.file_row, one.row) for one in kept] == [
        (f"{DAY}/a.csv", 3, 1, 1),
        (f"{DAY}/b.csv", 3, 1, 4),
        (f"{DAY}/c.csv", 2, 0, 5),
    ]
    assert [json.loads(one.record)["till"] for one in kept[:2]] == ["x", "x"]
    assert [row["id"] for row in rows_of(work, VALUED, [DAY])] == [1, 2, 3, 5]


def test_two_files_with_the_same_rows(work):
    put(work, f"{DAY}/a.csv", [1, 2])
    put(work, f"{DAY}/b.csv", [2, 1])
    (done,) = make(work, MANY, [DAY])
    (finding,) = (one for one in done.findings if one.check.name == "rejected")
    assert (finding.numbers["duplicates"], finding.numbers["exact_duplicates"]) == (2, 2)
    assert [(one.file, one.reasons) for one in rejected_rows(MANY, work=work)] == [
        (f"{DAY}/b.csv", "repeats the key (id) of an earlier row")
    ] * 2


@pytest.mark.parametrize(
    ("keep", "kept", "lost"),
    [
        ({}, [1, 9], [("a.csv", 1), ("b.csv", 0), ("c.csv", 0)]),
        ({"keep": "last"}, [3, 9], [("a.csv", 0), ("a.csv", 1), ("b.csv", 0)]),
        ({"keep": "greatest", "keep_by": "value"}, [7, 9], [("a.csv", 0), ("a.csv", 1), ("c.csv", 0)]),
        ({"keep": "least", "keep_by": "value"}, [1, 9], [("a.csv", 1), ("b.csv", 0), ("c.csv", 0)]),
    ],
    ids=str,
)
def test_one_row_of_a_key_is_kept_whichever_file_it_is_in(work, keep, kept, lost):
    source = replace(VALUED, **keep)
    lines(work, "a.csv", row(1, 1, "a"), row(1, 2, "b"))
    lines(work, "b.csv", row(1, 7, "c"), row(2, 9))
    lines(work, "c.csv", row(1, 3, "d"))
    make(work, source, [DAY])
    assert [row["value"] for row in rows_of(work, source, [DAY])] == kept
    found = list(rejected_rows(source, work=work))
    assert [(one.file.split("/")[1], one.file_row) for one in found] == lost
    tills = {("a.csv", 0): "a", ("a.csv", 1): "b", ("b.csv", 0): "c", ("c.csv", 0): "d"}
    assert [json.loads(one.record)["till"] for one in found] == [tills[place] for place in lost]


def test_files_that_say_a_number_differently_are_each_read_as_they_are(work):
    source = replace(
        MANY,
        format=Parquet(),
        columns=(*ONE.columns, Column("price", Exact(18, 2))),
        origin=replace(MANY.origin, pattern="{key}/*.parquet"),
    )
    exact = Decimal("9007199254740993.01")  # more than a binary fraction holds
    for name, value, kind in (("a", 1.5, pa.float64()), ("b", exact, pa.decimal128(18, 2)), ("c", 7, pa.int32())):
        file = work.platform.landing / f"shop/visits/{DAY}/{name}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        at = pa.array([datetime(2024, 3, 1, tzinfo=UTC)])
        pq.write_table(pa.table({"id": [ord(name)], "at": at, "price": pa.array([value], kind)}), file)
    make(work, source, [DAY])
    assert [row["price"] for row in rows_of(work, source, [DAY])] == [Decimal("1.50"), exact, Decimal("7.00")]


def test_the_file_that_cannot_be_read_is_named_and_kept(work):
    lines(work, "a.csv", row(1))
    file = work.platform.landing / f"shop/visits/{DAY}/b.csv"
    file.write_text("id,moment\n1,2\n")
    with pytest.raises(
        SourceError, match=rf"visits/{DAY}/\*\.csv: {DAY}/b\.csv cannot be read: column 'at' is missing"
    ):
        make(work, VALUED, [DAY])
    (kept,) = rejected_files(VALUED, work=work)
    assert (kept.name, kept.path.read_text()) == (f"{DAY}/b.csv", file.read_text())


def test_all_files_of_a_refused_partition_are_kept(work):
    put(work, f"{DAY}/a.csv", ["x", "y"])
    put(work, f"{DAY}/b.csv", [1])
    (done,) = make(work, MANY, [DAY])
    assert done.stopped
    assert [one.name for one in rejected_files(MANY, work=work)] == [f"{DAY}/a.csv", f"{DAY}/b.csv"]


def test_a_fix_names_a_row_among_all_files(work, tmp_path):
    lines(work, "a.csv", row(1))
    lines(work, "b.csv", row(2), row("x"))
    make(work, VALUED, [DAY])
    fixes = tmp_path / "fixes.csv"
    fixes.write_text(f"row_number,id,at,value\n2,3,{DAY}T01:00:00Z,4\n")
    assert fix(VALUED, DAY, fixes, work=work) == 1
    load(work, VALUED, DAY, token=2)
    assert [(row["id"], row["value"]) for row in rows_of(work, VALUED, [DAY])] == [(1, None), (2, None), (3, 4)]
    assert list(rejected_rows(VALUED, work=work)) == []


def test_a_fix_that_is_still_wrong_keeps_its_place(work, tmp_path):
    lines(work, "a.csv", row(1))
    lines(work, "b.csv", row(2), row("x"))
    make(work, VALUED, [DAY])
    fixes = tmp_path / "fixes.csv"
    fixes.write_text(f"row_number,id,at,value\n2,2,{DAY}T01:00:00Z,4\n")
    fix(VALUED, DAY, fixes, work=work)
    load(work, VALUED, DAY, token=2)
    (kept,) = rejected_rows(VALUED, work=work)
    assert (kept.file, kept.line, kept.reasons) == (f"{DAY}/b.csv", 3, "repeats the key (id) of an accepted row")


def test_records_that_are_no_rows_are_counted_on(work):
    source = replace(
        MANY, format=JSONLines(), origin=replace(MANY.origin, pattern="{key}/*.jsonl"), max_rejected_share=1
    )
    folder = work.platform.landing / f"shop/visits/{DAY}"
    folder.mkdir(parents=True)
    good = [json.dumps({"id": n, "at": f"{DAY}T12:00:00Z"}) for n in range(3)]
    (folder / "a.jsonl").write_text(f"{good[0]}\n{{nothing\n{good[1]}\n")
    (folder / "b.jsonl").write_text(f"{good[2]}\n{{\n")
    found = read(source, DAY, work=work)
    assert found.accepted["id"].to_pylist() == [0, 1, 2]
    assert [(row["row_number"], row["file_row"], row["line"]) for row in found.rejected.to_pylist()] == [
        (1, 1, 2),
        (4, 1, 2),
    ]


def test_one_format_declares_its_own_dialect(work):
    source = replace(MANY, format=CSV(delimiter=";"))
    file = work.platform.landing / f"shop/visits/{DAY}/a.csv"
    file.parent.mkdir(parents=True)
    file.write_text(f"id;at\n1;{DAY}T00:00:00Z\n")
    make(work, source, [DAY])
    assert [row["id"] for row in rows_of(work, source, [DAY])] == [1]
