import pytest

from platform_ml.engine.quarantine import fix
from platform_ml.engine.quarantine_list import listed, totals
from platform_ml.spec.errors import PlatformError
from platform_ml_tests.engine.shop import customers, make
from platform_ml_tests.engine.test_quarantine import TIME, deliver, fixes, texts
from platform_ml_tests.engine.things import KEY

NEXT = "2024-02-02"
BAD = (f"1,7,2.50,{TIME}", f"2,7,-1,{TIME}", f"3,7,-2,{TIME}", f"4,,1,{TIME}")


def seen(work):
    return [(one.source, one.partition, one.state, one.count, one.reason) for one in listed([texts], work=work)]


@pytest.fixture
def two_days(work):
    """Three rejected rows of one day, one of the next."""
    deliver(work, *BAD)
    deliver(work, f"9,7,1.00,{NEXT} 12:00:00", f"10,7,x,{NEXT} 12:00:00", key=NEXT)
    make(work, texts, [KEY, NEXT])
    return work


def test_nothing_is_kept_of_what_was_never_read(work):
    assert listed([texts, customers], work=work) == []
    assert totals([]) == {"rejected": 0, "whole file": 0, "fixed, waits": 0, "replayed": 0}


def test_rows_are_counted_by_partition_and_reason(two_days):
    assert seen(two_days) == [
        ("orders", KEY, "rejected", 2, "amount is below 0"),
        ("orders", KEY, "rejected", 1, "customer_id is null"),
        ("orders", NEXT, "rejected", 1, "amount is not a DECIMAL(9,2)"),
    ]
    assert totals(listed([texts], work=two_days))["rejected"] == 4


def test_fixed_rows_wait_and_are_replayed(two_days, tmp_path):
    fix(texts, KEY, fixes(tmp_path, f"1,2,7,1.50,{TIME}"), work=two_days)
    assert ("orders", KEY, "fixed, waits", 1, "row 1") in seen(two_days)
    make(two_days, texts, [KEY], token=2)
    assert ("orders", KEY, "replayed", 1, "row 1") in seen(two_days)
    assert ("orders", KEY, "rejected", 1, "amount is below 0") in seen(two_days)
    fix(texts, KEY, fixes(tmp_path, f"2,3,7,1.50,{TIME}"), work=two_days)
    assert ("orders", KEY, "fixed, waits", 2, "row 1, 2") in seen(two_days)


def test_fixes_of_a_file_that_was_delivered_again_are_gone(two_days, tmp_path):
    fix(texts, KEY, fixes(tmp_path, f"1,2,7,1.50,{TIME}"), work=two_days)
    deliver(two_days, f"1,7,2.50,{TIME}")
    make(two_days, texts, [KEY], token=2)
    assert [line for line in seen(two_days) if line[1] == KEY] == []


def test_a_file_that_cannot_be_read_is_one_line(work):
    file = deliver(work)
    file.write_bytes(b"\xff\xfe\x00\x00 order_id")
    with pytest.raises(PlatformError, match="The file is kept in"):
        make(work, texts, [KEY])
    (kept,) = listed([texts], work=work)
    assert (kept.state, kept.count, kept.partition) == ("whole file", 1, KEY)
    assert kept.reason.startswith(f"{file.name} ({file.stat().st_size:,} bytes): ")
