"""The oracle against answers written by hand: the case files, and the combinations that these leave open."""

import math
from pathlib import Path

import pytest

from platform_ml_tests.point_in_time import oracle
from platform_ml_tests.point_in_time.case import load, parse
from platform_ml_tests.point_in_time.runner import difference

CASES = sorted(Path(__file__).with_name("cases").glob("*.json"))


def test_there_are_cases():
    assert len(CASES) >= 52


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem.removeprefix("case_"))
def test_every_case_file_is_answered_as_its_author_did(path):
    case = load(path)
    assert difference(case, oracle.answer(case)) is None


def day(number):
    return f"2024-01-{number:02}"


def ask(rows, spine, policy=None, **table):
    """The feature x of table t for each spine row (t,) or {..}; one key, the rows carry et and x."""
    spine = [{"id": 1, "ts": at} if not isinstance(at, dict) else {"id": 1, **at} for at in spine]
    table = {"name": "t", "keys": {"id": "id"}, "event_time": "et", "features": ["x"]} | table
    table["policy"] = table.pop("own", {})
    table["rows"] = [{"id": 1} | row for row in rows]
    spine_time = "ts" if any("ts" in row for row in spine) else None
    raw = {"id": "one", "kind": "pit", "spine": {"event_time": spine_time, "rows": spine}, "tables": [table]}
    return [row["x"] for row in oracle.answer(parse(raw | {"policy": policy or {}}))]


def event(number, x, **more):
    return {"et": day(number), "x": x} | more


def test_a_tie_goes_to_created_then_sequence_then_position_and_null_is_oldest():
    tie = [event(1, "late", c=day(3), s=1), event(1, "null", c=None, s=9), event(1, "early", c=day(2), s=9)]
    assert ask(tie, [day(5)], created="c") == ["late"]
    assert ask(tie, [day(5)], sequence="s") == ["early"]
    assert ask(tie, [day(5)], created="c", sequence="s") == ["late"]
    assert ask([event(1, "a"), event(1, "b")], [day(5)]) == ["b"]
    assert ask([event(1, "zero", s=0), event(1, "null", s=None)], [day(5)], sequence="s") == ["zero"]


@pytest.mark.parametrize(("edge", "kept"), [("inclusive", "x"), ("exclusive", None)])
def test_ttl_at_the_edge(edge, kept):
    rows, table = [event(1, "x")], {"ttl_seconds": 86_400}
    spine = ["2024-01-01T23:59:59.999999", day(2), "2024-01-02T00:00:00.000001"]
    assert ask(rows, spine, {"ttl_edge": edge}, **table) == ["x", kept, None]


def test_ttl_zero_is_the_same_moment_only():
    rows = [event(2, "x")]
    assert ask(rows, [day(2), "2024-01-02T00:00:00.000001"], ttl_seconds=0) == ["x", None]
    assert ask(rows, [day(2)], {"ttl_edge": "exclusive"}, ttl_seconds=0) == [None]
    assert ask(rows, [day(2)], {"bound": "<"}, ttl_seconds=0) == [None]


def test_only_the_newest_candidate_is_judged():
    old = event(1, "old", vt=None, gone=False)
    assert ask([old, event(2, "ended", vt=day(3))], [day(2), day(3)], valid_to="vt") == ["ended", None]
    assert ask([old, event(2, "gone", gone=True)], [day(1), day(2)], tombstone="gone") == ["old", None]
    assert ask([old, event(2, "null", gone=None)], [day(2)], tombstone="gone") == ["null"]


def test_an_unknown_row_does_not_hide_a_known_one():
    rows = [event(1, "old", c=day(1)), event(2, "late", c=day(4)), event(3, "never", c=None)]
    assert ask(rows, [day(3), day(4)], {"knowledge": "row"}, created="c") == ["old", "late"]
    assert ask(rows, [day(9)], {"knowledge": {"as_of": day(3)}}, created="c") == ["old"]
    assert ask(rows, [day(1)], {"knowledge": {"as_of": day(9)}}, created="c") == ["old"]
    assert ask(rows, [day(3)], {"knowledge": "row"}) == ["never"]


def test_an_unknown_tombstone_deletes_nothing():
    rows = [event(1, "x", c=day(1), gone=False), event(2, None, c=day(5), gone=True)]
    assert ask(rows, [day(3), day(5)], {"knowledge": "row"}, created="c", tombstone="gone") == ["x", None]


def test_the_delay_moves_bound_ttl_and_validity_but_not_knowledge():
    table = {"offset_seconds": 86_400}
    assert ask([event(2, "x")], [day(2), day(3)], **table) == [None, "x"]
    assert ask([event(2, "x")], [day(3)], {"bound": "<"}, **table) == [None]
    assert ask([event(2, "x")], [day(4), day(5)], ttl_seconds=86_400, **table) == ["x", None]
    assert ask([event(2, "x", vt=day(4))], [day(4), day(5)], valid_to="vt", **table) == ["x", None]
    assert ask([event(2, "x", c=day(3))], [day(3)], {"knowledge": "row"}, created="c", **table) == ["x"]
    rows = [event(1, "x", a=day(3), b=day(5))]
    assert ask(rows, [day(2), day(3), day(5)], known_from="a", known_to="b", **table) == [None, "x", None]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_look_back_has_two_inclusive_edges(sign):
    look = {"start": sign * 3 * 86_400, "end": sign * 86_400}
    rows = [event(2, "old"), event(4, "new")]
    assert ask(rows, [day(n) for n in range(2, 9)], lookback=look) == [None, "old", "old", "new", "new", "new", None]
    assert ask(rows, [day(3)], {"bound": "<"}, lookback={"start": 86_400, "end": 0}) == ["old"]
    assert ask(rows, [day(4)], {"bound": "<"}, lookback={"start": 86_400, "end": 0}) == [None]
    assert ask(rows, [day(9)], lookback={"start": None, "end": 0}) == ["new"]


def test_a_table_without_event_time_is_looked_up_whatever_the_spine_time():
    rows = [{"x": "a", "c": day(3)}, {"x": "b", "c": day(1)}]
    table = {"event_time": None, "created": "c", "ttl_seconds": 0}
    assert ask(rows, [day(2), None], **table) == ["a", "a"]
    assert ask(rows, [day(2), None], {"knowledge": "row"}, **table) == ["b", None]


def test_a_spine_without_time_takes_the_newest_row():
    rows = [event(9, "newest"), event(1, "old"), {"et": None, "x": "no time"}]
    assert ask(rows, [{"label": 1}], ttl_seconds=0) == ["newest"]


def test_a_spine_time_that_is_null_gives_nulls():
    assert ask([event(1, "x")], [None, day(1)]) == [None, "x"]


def test_a_table_with_a_spine_time_of_its_own_is_known_as_of_that():
    rows = [event(1, "x", c=day(3))]
    spine = [{"ts": day(9), "other": day(2)}, {"ts": day(1), "other": day(3)}, {"ts": day(9), "other": None}]
    assert ask(rows, spine, {"knowledge": "row"}, created="c", spine_event_time="other") == [None, "x", None]


def test_null_keys_match_each_other_only_when_asked():
    spine = [{"ts": day(5), "id": None}, {"ts": day(5)}]
    rows = [event(1, "null", id=None), event(1, "one")]
    assert ask(rows, spine) == [None, "one"]
    assert ask(rows, spine, {"null_keys": "match"}) == ["null", "one"]


def test_a_table_overrides_the_policy_key_by_key():
    rows = [event(1, "x", c=day(9))]
    assert ask(rows, [day(1)], {"bound": "<"}, own={"bound": "<="}) == ["x"]
    policy = {"bound": "<", "knowledge": "row"}
    assert ask(rows, [day(1), day(2)], policy, own={"knowledge": None}, created="c") == [None, "x"]


def numbers(rows, spine, policy=None, **table):
    """The aggregation x; see ask()."""
    aggregation = {"name": "x", "column": "v"} | table.pop("aggregation")
    rows = [{"et": day(at), "v": v} for at, v in rows]
    return ask(rows, spine, policy, features=[], aggregations=[aggregation], **table)


@pytest.mark.parametrize(("interval", "total"), [("[)", 3), ("(]", 6), ("[]", 7), ("()", 2), (None, 3)])
def test_the_edges_of_a_window(interval, total):
    wanted = {"op": "sum", "window_seconds": 2 * 86_400, "interval": interval}
    assert numbers([(1, 1), (2, 2), (3, 4)], [day(3)], aggregation=wanted) == [total]


@pytest.mark.parametrize(
    ("op", "value"),
    [
        *(("count", 3), ("distinct", 3), ("first", 1), ("last", 4), ("min", 1), ("max", 4)),
        *(("sum", 7), ("avg", 7 / 3), ("variance", 7 / 3), ("std", math.sqrt(7 / 3))),
    ],
)
def test_aggregates(op, value):
    rows = [(1, 1), (2, 2), (2, None), (3, 4)]
    assert numbers(rows, [day(9)], aggregation={"op": op}) == [pytest.approx(value)]


def test_over_no_rows_counts_are_zero_and_the_rest_is_null():
    for op, nothing in {"count": 0, "distinct": 0, "sum": None, "avg": None, "max": None, "std": None}.items():
        assert numbers([(2, 1)], [day(1), None], aggregation={"op": op}) == [nothing, nothing]
    assert numbers([(2, 1)], [day(3)], aggregation={"op": "std"}) == [None]


def test_nan_is_itself_and_makes_nan_of_all_but_counts():
    rows = [(1, math.nan), (2, 1.0), (3, math.nan)]
    assert numbers(rows, [day(9)], aggregation={"op": "count"}) == [3]
    assert numbers(rows, [day(9)], aggregation={"op": "distinct"}) == [2]
    for op in ("min", "max", "sum", "variance"):
        assert math.isnan(numbers(rows, [day(9)], aggregation={"op": op})[0])


def test_hops_round_the_head_and_then_the_tail_down():
    rows = [(1, 1), (2, 2), (3, 4), (4, 8)]
    hop = {"op": "sum", "window_seconds": 86_400}
    assert numbers(rows, ["2024-01-03T12:00"], aggregation=hop) == [4]
    assert numbers(rows, ["2024-01-03T12:00"], aggregation=hop | {"tail_hop_seconds": 86_400}) == [6]
    assert numbers(rows, ["2024-01-03T12:00"], aggregation=hop | {"head_hop_seconds": 86_400}) == [2]


def test_a_window_is_over_what_was_known_and_a_delay_moves_it():
    wanted = {"op": "sum", "window_seconds": 86_400, "interval": "[]"}
    rows = [(2, 1), (3, 2)]
    assert numbers(rows, [day(4)], aggregation=wanted, offset_seconds=86_400) == [3]
    late = [event(2, 0, v=1, c=day(2)), event(2, 0, v=2, c=day(5))]
    asked = {"features": [], "aggregations": [{"name": "x", "op": "sum", "column": "v"}], "created": "c"}
    assert ask(late, [day(3), day(5)], {"knowledge": "row"}, **asked) == [1, 3]


def test_an_unknown_op_is_refused():
    with pytest.raises(NotImplementedError, match="kurtosis"):
        numbers([(1, 1)], [day(2)], aggregation={"op": "kurtosis"})
