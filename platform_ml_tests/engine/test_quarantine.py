from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from platform_ml.engine.content import file_sha256
from platform_ml.engine.feed import landing_file
from platform_ml.engine.quarantine import fix, rejected_files, rejected_rows
from platform_ml.engine.staleness import stale
from platform_ml.formats import CSV
from platform_ml.spec.errors import SourceError
from platform_ml_tests.engine.shop import SHOP, contents, make, orders, rows_of
from platform_ml_tests.engine.things import KEY, NOON, day_of, good

texts = replace(orders, format=CSV(), max_rejected_share=0.9)
HEADER = "order_id,customer_id,amount,ordered_at"
FIXES = f"row_number,{HEADER}"
TIME = "2024-02-01 12:00:00"


def deliver(work, *lines, key=KEY, header=HEADER):
    file = landing_file(texts, key, work)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in [header, *lines]))
    return file


def fixes(tmp_path, *lines, name="fixes.csv", header=FIXES):
    file = tmp_path / name
    file.write_text("".join(f"{line}\n" for line in [header, *lines] if line))
    return file


def left(work, source=texts):
    return [(row.partition, row.row, row.line, row.reasons) for row in rejected_rows(source, work=work)]


def ids(work):
    return [row["order_id"] for row in rows_of(work, texts, [KEY])]


@pytest.fixture
def three_bad(work):
    """Rows 1, 2 and 4 are not let in."""
    rows = (f"1,7,2.50,{TIME}", f"2,7,x,{TIME}", f"3,7,2.50,{TIME},9", f"4,7,2.50,{TIME}", f"5,7,-1,{TIME}")
    deliver(work, *rows)
    (done,) = make(work, texts, [KEY])
    assert not done.stopped
    assert left(work) == [
        (KEY, 1, 3, "amount is not a DECIMAL(9,2)"),
        (KEY, 2, 4, "the row has 5 values, not 4"),
        (KEY, 4, 6, "amount is below 0"),
    ]
    return work


def test_fixed_rows_are_let_in_and_the_others_stay(three_bad, tmp_path):
    work = three_bad
    file = fixes(tmp_path, f"1,2,7,1.50,{TIME}", f"2,3,7,2.50,{TIME}")
    assert fix(texts, KEY, file, work=work) == 2
    assert ids(work) == [1, 4]
    (done,) = make(work, texts, [KEY], token=2)
    assert ids(work) == [1, 2, 3, 4]
    assert left(work) == [(KEY, 4, 6, "amount is below 0")]
    (finding,) = (finding for finding in done.findings if finding.check.name == "rejected")
    assert finding.numbers["replayed"] == 2
    assert "2 rows were fixed and replayed" in finding.reason


def test_it_is_the_same_however_often_it_is_done(three_bad, tmp_path):
    work, file = three_bad, fixes(tmp_path, f"1,2,7,1.50,{TIME}")
    seen = []
    for token in (2, 3):
        fix(texts, KEY, file, work=work)
        make(work, texts, [KEY], token=token)
        seen.append((contents(work, texts), work.read(texts, [KEY]).partitions[KEY].inputs, left(work)))
    assert seen[0] == seen[1]
    assert seen[0][1] != file_sha256(landing_file(texts, KEY, work))
    fix(texts, KEY, fixes(tmp_path, f"4,5,7,1,{TIME}"), work=work)
    make(work, texts, [KEY], token=4)
    assert ids(work) == [1, 2, 4, 5], "fixes add up"


def test_what_is_still_wrong_stays_with_its_reasons(three_bad, tmp_path):
    work = three_bad
    fix(texts, KEY, fixes(tmp_path, f"1,1,7,1.50,{TIME}", "2,3,,1,2024-02-02", f"4,6,7,-3,{TIME}"), work=work)
    make(work, texts, [KEY], token=2)
    assert ids(work) == [1, 4]
    assert left(work) == [
        (KEY, 1, 3, "repeats the key (order_id) of an accepted row"),
        (KEY, 2, 4, "customer_id is null; ordered_at is outside of the partition"),
        (KEY, 4, 6, "amount is below 0"),
    ]


def test_json_lines_hold_fixes_too(three_bad, tmp_path):
    line = '{"row_number":4,"order_id":5,"customer_id":7,"amount":"1.00","ordered_at":"2024-02-01"}'
    other = '{"row_number":1,"order_id":2,"customer_id":true,"amount":1.5,"ordered_at":"2024-02-01"}'
    fix(texts, KEY, fixes(tmp_path, line, other, name="fixes.jsonl", header=""), work=three_bad)
    make(three_bad, texts, [KEY], token=2)
    assert ids(three_bad) == [1, 4, 5]
    assert left(three_bad)[0][3] == "customer_id is no number; customer_id is not a BIGINT"


def test_another_delivery_forgets_the_fixes_of_the_one_before(three_bad, tmp_path):
    fix(texts, KEY, fixes(tmp_path, f"1,2,7,1.50,{TIME}"), work=three_bad)
    make(three_bad, texts, [KEY], token=2)
    deliver(three_bad, f"8,7,2.50,{TIME}", f"9,7,y,{TIME}")
    make(three_bad, texts, [KEY], token=3)
    assert (ids(three_bad), [row[1] for row in left(three_bad)]) == ([8], [1])


def test_fixes_make_the_partition_stale_until_it_is_made_again(three_bad, tmp_path):
    work = three_bad
    project = replace(SHOP, outputs=(texts,))
    make(work, texts, [KEY], token=2)
    fix(texts, KEY, fixes(tmp_path, f"1,2,7,1.50,{TIME}"), work=work)
    assert KEY in stale(project, work)["orders"]


@pytest.mark.parametrize(
    ("lines", "header", "what"),
    [
        ([f"0,1,7,1,{TIME}"], FIXES, r"row 0 is not in quarantine \(there: 1, 2, 4\)"),
        ([f"1,2,7,1,{TIME}", f"1,2,7,2,{TIME}"], FIXES, "fixes a row twice"),
        ([f"1,2,7,1,{TIME}"], FIXES.replace("amount", "amuont"), "column 'amount' is missing. Did you mean 'amuont'"),
        ([f"x,2,7,1,{TIME}"], FIXES, "holds no fixes"),
        (["1,2"], FIXES, "holds no fixes"),
        ([], "", "holds no fixes: it is empty"),
    ],
)
def test_fixes_that_are_none(three_bad, tmp_path, lines, header, what):
    with pytest.raises(SourceError, match=what):
        fix(texts, KEY, fixes(tmp_path, *lines, header=header), work=three_bad)
    make(three_bad, texts, [KEY], token=2)
    assert len(left(three_bad)) == 3


def test_a_file_that_cannot_be_read_is_kept_whole(work):
    file = day_of(work, *good())
    make(work, orders, [KEY])
    before = contents(work, orders)
    whole = file.read_bytes()
    file.write_bytes(whole[:1000])
    with pytest.raises(SourceError, match=r"cannot be read: its end is missing.*\. The file is kept in "):
        make(work, orders, [KEY], token=2)
    assert contents(work, orders) == before
    (kept,) = rejected_files(orders, work=work)
    assert (kept.partition, kept.name, kept.size, kept.sha256) == (KEY, file.name, 1000, file_sha256(file))
    assert kept.reason.startswith("its end is missing")
    file.write_bytes(b"another one")
    assert kept.path.read_bytes() == whole[:1000]
    with pytest.raises(SourceError, match="cannot be read"):
        make(work, orders, [KEY], token=3)
    assert [one.size for one in rejected_files(orders, work=work, key=KEY)] == [1000, 11]
    file.write_bytes(whole)
    make(work, orders, [KEY], token=4)
    assert rejected_files(orders, work=work) == []


def test_a_file_with_too_many_bad_rows_is_kept_whole(work):
    file = day_of(work, *good(5), (9, None, Decimal(1), NOON))
    (done,) = make(work, orders, [KEY])
    assert done.stopped
    (kept,) = rejected_files(orders, work=work)
    assert kept.path.read_bytes() == file.read_bytes()
    assert kept.reason.startswith("1 of 6 rows rejected")


def test_a_file_that_is_written_while_it_is_read(work, monkeypatch):
    file = day_of(work, *good())
    problem = type(orders.format).problem

    def grow(form, path):
        found = problem(form, path)
        file.write_bytes(file.read_bytes() + b"more")
        return found

    monkeypatch.setattr(type(orders.format), "problem", grow)
    with pytest.raises(SourceError, match="cannot be read"):
        make(work, orders, [KEY])
    assert work.platform.tables.snapshot("shop/orders") is None


def test_a_link_out_of_the_landing_zone_is_not_followed(work, tmp_path):
    file = day_of(work, *good())
    file.rename(tmp_path / "elsewhere.parquet")
    file.symlink_to(tmp_path / "elsewhere.parquet")
    with pytest.raises(SourceError, match="is a link that leads out of the landing zone"):
        make(work, orders, [KEY])
    assert rejected_files(orders, work=work) == []


def test_rows_of_other_partitions_are_not_listed(work):
    day_of(work, *good(200), (999, None, Decimal(1), NOON))
    later = NOON + timedelta(days=1)
    day_of(work, *[(n, 1, Decimal(1), later) for n in range(200)], (999, None, Decimal(1), later), key="2024-02-02")
    make(work, orders, [KEY, "2024-02-02"])
    assert [row.partition for row in rejected_rows(orders, work=work)] == [KEY, "2024-02-02"]
    assert [row.partition for row in rejected_rows(orders, work=work, key="2024-02-02")] == ["2024-02-02"]
