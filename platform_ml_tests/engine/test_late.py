from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from platform_ml.engine.late import LATE
from platform_ml.engine.quarantine import fix, rejected_rows
from platform_ml.engine.source import checks, materialize_source
from platform_ml.engine.staleness import stale
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.late import Late
from platform_ml_tests.engine.feeds import AFTER, DAY, DAYS, NEXT, ONE, load, project_of, put
from platform_ml_tests.engine.shop import make, orders, rows_of, stamp, work_in

BOTH = replace(ONE, max_rejected_share=1.0)
EARLIER = replace(BOTH, late=Late(keep="earlier"))


def finding(done, key):
    return next(one for one in done.findings if one.check == LATE and one.partition == key)


def numbers(done, key):
    return tuple(finding(done, key).numbers[name] for name in ("late_duplicates", "let_in", "later_duplicates"))


def held(work, source):
    return {
        key: [row["id"] for row in rows_of(work, source, [key])]
        for key in work.platform.tables.snapshot("shop/visits").partitions
    }


def deliver(work, *days):
    for key, ids in zip(DAYS, days, strict=False):
        put(work, f"{key}.csv", ids)


def redo(work, source, token=10):
    """What somebody does who is told what is stale: oldest first, until nothing is."""
    for again in range(20):
        keys = [key for key in stale(project_of(source), work).get(source.name, {}) if key in held(work, source)]
        if not keys:
            return again
        make_declared(work, source, keys, token + again)
    raise AssertionError


def make_declared(work, source, keys, token):
    return materialize_source(source, keys, work=work, stamp=stamp(token, fingerprint(source)))


@pytest.mark.parametrize("together", [True, False])
def test_late_rows_are_counted_and_let_in(work, together):
    deliver(work, [1, 2, 3], [2, 4], [3, 4, 5])
    if together:
        (done,) = make(work, BOTH, DAYS)
        found = [numbers(done, key) for key in DAYS]
    else:
        found = [numbers(load(work, BOTH, key, token=n), key) for n, key in enumerate(DAYS, 1)]
    assert found == [(0, 0, 0), (1, 1, 0), (2, 2, 0)]
    assert held(work, BOTH) == {DAY: [1, 2, 3], NEXT: [2, 4], AFTER: [3, 4, 5]}


def test_a_warning_says_how_many(work):
    deliver(work, [1, 2], [2, 4])
    (done,) = make(work, BOTH, DAYS[:2])
    assert not done.stopped
    assert finding(done, DAY).passed
    assert not finding(done, NEXT).passed
    assert (
        finding(done, NEXT).reason == "1 rows have a key that a partition of the 7 days before has, 1 of them let in."
    )


def test_a_partition_that_comes_after_a_later_one_counts_what_that_has(work):
    deliver(work, [1, 2], [2, 4])
    load(work, BOTH, NEXT)
    done = load(work, BOTH, DAY, token=2)
    assert numbers(done, DAY) == (0, 0, 1)
    assert "1 have a key that a later partition has, which was there first" in finding(done, DAY).reason


def test_rows_of_the_day_before_are_counted_though_their_time_keeps_them_out(work):
    deliver(work, [1, 2])
    put(work, f"{NEXT}.csv", [1, 2, 3], DAY)
    (done,) = make(work, BOTH, DAYS[:2])
    assert numbers(done, NEXT) == (2, 0, 0)
    assert finding(done, NEXT).passed
    assert held(work, BOTH)[NEXT] == []


@pytest.mark.parametrize(("days", "late"), [(1, 0), (2, 1), (0, None)])
def test_how_far_back_is_looked(work, days, late):
    source = replace(BOTH, late=Late(days=days))
    deliver(work, [1], [2], [1])
    (done,) = make(work, source, DAYS)
    assert (LATE in checks(source)) == (late is not None)
    if late is not None:
        assert numbers(done, AFTER) == (late, late, 0)


def test_keys_with_the_time_in_them_are_not_looked_at():
    assert LATE not in checks(replace(BOTH, key=("id", "at")))
    assert LATE not in checks(replace(BOTH, cadence=None, event_time=None))
    assert LATE in checks(orders)


def test_late_rows_are_rejected_where_that_is_declared(work):
    deliver(work, [1, 2, 3], [2, 4], [3, 4, 5])
    (done,) = make(work, EARLIER, DAYS)
    assert [numbers(done, key) for key in DAYS] == [(0, 0, 0), (1, 0, 0), (2, 0, 0)]
    assert all(finding(done, key).passed for key in DAYS)
    assert held(work, EARLIER) == {DAY: [1, 2, 3], NEXT: [4], AFTER: [5]}
    assert [(one.partition, one.line, one.reasons) for one in rejected_rows(EARLIER, work=work)] == [
        (NEXT, 2, "repeats the key (id) of a row of an earlier partition"),
        (AFTER, 2, "repeats the key (id) of a row of an earlier partition"),
        (AFTER, 3, "repeats the key (id) of a row of an earlier partition"),
    ]


def test_too_many_late_rows_refuse_the_partition(work):
    source = replace(EARLIER, max_rejected_share=0.1)
    deliver(work, [1, 2, 3], [1, 2, 3])
    load(work, source, DAY)
    assert [one.partition for one in load(work, source, NEXT, token=2).stopped] == [NEXT]


def test_a_row_that_is_gone_from_where_it_was_is_taken_no_more(work):
    deliver(work, [1], [1])
    make_declared(work, EARLIER, DAYS[:2], 1)
    assert held(work, EARLIER) == {DAY: [1], NEXT: []}
    deliver(work, [2])
    make_declared(work, EARLIER, [DAY], 2)
    assert redo(work, EARLIER) == 1
    assert held(work, EARLIER) == {DAY: [2], NEXT: [1]}


def test_a_chain_of_late_rows_ends_where_nobody_holds_the_key(work):
    source = replace(EARLIER, late=Late(days=1, keep="earlier"))
    deliver(work, [1], [1], [1])
    make(work, source, DAYS)
    assert held(work, source) == {DAY: [1], NEXT: [], AFTER: [1]}


def test_a_fix_cannot_take_a_key_that_is_taken(work, tmp_path):
    deliver(work, [1], [1, 2])
    make(work, EARLIER, DAYS[:2])
    fixes = tmp_path / "fixes.csv"
    fixes.write_text(f"row_number,id,at\n0,1,{NEXT}T12:00:00Z\n")
    assert fix(EARLIER, NEXT, fixes, work=work) == 1
    load(work, EARLIER, NEXT, token=2)
    assert held(work, EARLIER)[NEXT] == [2]
    fixes.write_text(f"row_number,id,at\n0,3,{NEXT}T12:00:00Z\n")
    fix(EARLIER, NEXT, fixes, work=work)
    load(work, EARLIER, NEXT, token=3)
    assert held(work, EARLIER)[NEXT] == [2, 3]


def test_nothing_is_stale_after_partitions_came_in_order(work):
    deliver(work, [1, 2], [2, 3], [3, 4])
    make_declared(work, EARLIER, DAYS, 1)
    assert redo(work, EARLIER) == 0
    for n, key in enumerate(DAYS, 2):
        make_declared(work, EARLIER, [key], n)
    assert redo(work, EARLIER) == 0


@pytest.mark.parametrize("order", list(permutations(DAYS)))
def test_once_nothing_is_stale_the_order_did_not_matter(work, order):
    deliver(work, [1, 2, 3], [2, 4, 6], [3, 4, 6, 7])
    for n, key in enumerate(order, 1):
        make_declared(work, EARLIER, [key], n)
    redo(work, EARLIER)
    assert held(work, EARLIER) == {DAY: [1, 2, 3], NEXT: [4, 6], AFTER: [7]}


@settings(max_examples=15, deadline=timedelta(seconds=30), suppress_health_check=[HealthCheck.too_slow])
@given(
    ids=some.lists(some.sets(some.integers(1, 6)), min_size=3, max_size=3),
    order=some.permutations(DAYS),
    days=some.integers(1, 3),
)
def test_what_is_held_is_what_the_words_say(tmp_path_factory, ids, order, days):
    work = work_in(tmp_path_factory.mktemp("late"))
    source = replace(EARLIER, late=Late(days=days, keep="earlier"))
    deliver(work, *map(sorted, ids))
    for n, key in enumerate(order, 1):
        make_declared(work, source, [key], n)
    redo(work, source)
    expected = []
    for day, own in enumerate(ids):
        taken = set().union(*expected[max(0, day - days) : day])
        expected.append(own - taken)
    assert held(work, source) == dict(zip(DAYS, map(sorted, expected), strict=True))
