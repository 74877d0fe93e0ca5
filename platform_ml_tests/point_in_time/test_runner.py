"""The runner finds wrong answers, and the random cases find engines with one rule missing."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from platform_ml_tests.point_in_time import oracle
from platform_ml_tests.point_in_time.random_cases import random_case, random_cases
from platform_ml_tests.point_in_time.runner import difference, equal, files, invented, run

CASES = Path(__file__).with_name("cases")
ROOT = Path(__file__).parents[2]
NAN = float("nan")


@pytest.mark.parametrize(
    ("wanted", "got", "same"),
    [
        (1, 1, True),
        (1, 1.0, True),
        (2**53 + 1, float(2**53 + 1), False),
        (True, 1, False),
        (True, True, True),
        (None, NAN, False),
        (NAN, NAN, True),
        (None, 0, False),
        ("é", "e\u0301", False),
        ("1", 1, False),
        (0.1 + 0.2, 0.3, False),
    ],
)
def test_picked_values_are_equal_or_not(wanted, got, same):
    assert equal(wanted, got, 0.0) is same


def test_aggregates_may_differ_in_their_last_digits():
    assert equal(0.1 + 0.2, 0.3, 1e-9)
    assert not equal(0.3001, 0.3, 1e-9)


def test_a_wrong_answer_names_table_column_row_and_values():
    (case,) = [case for name, case in files(CASES) if name == "two_spine_times"]
    good = oracle.answer(case)
    assert difference(case, good) is None
    assert difference(case, [good[0] | {"b_x": 4}]) == "b.b_x, row 0: expected 1, got 4"
    assert difference(case, [good[0] | {"b_x": 4, "a_x": 0}]).endswith("(and 1 more)")
    assert difference(case, good * 2) == "expected 1 rows, got 2"
    assert difference(case, [{"id": 1}]).startswith("columns ['a_x', 'b_x'")
    assert "expected columns" in difference(replace(case, expected=({"id": 1},)), good)
    assert "expected columns" in difference(replace(case, expected=({**case.expected[0], "c_x": 1},)), good)


def test_an_engine_that_breaks_and_a_file_that_is_no_case_are_failures(tmp_path):
    (tmp_path / "case_a.json").write_text("{", encoding="utf-8")
    (tmp_path / "case_b.json").write_text((CASES / "case_dst_fall_back.json").read_text("utf-8"), encoding="utf-8")
    (tmp_path / "case_c.json").write_text(json.dumps({"id": "c", "new": 1}), encoding="utf-8")

    def answer(case, threads):
        raise ZeroDivisionError("by\nzero")

    *lines, tally = run(files(tmp_path), answer, [1])
    assert [line.split(":")[0] for line in lines] == ["case_a.json", "dst_fall_back", "case_c.json"]
    assert lines[1] == "dst_fall_back: ZeroDivisionError: by zero"
    assert str(tally) == "0 passed, 3 failed"


def command(*arguments):
    asked = [sys.executable, "-m", "platform_ml_tests.point_in_time", *arguments]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_says_how_many_passed_and_exits_with_the_verdict(tmp_path):
    done = command(str(CASES), "--oracle", "--random", "5", "--threads", "1", "2")
    assert (done.stdout, done.returncode) == ("57 passed, 0 failed\n", 0)
    raw = json.loads((CASES / "case_dst_fall_back.json").read_text("utf-8"))
    raw["expected"][1]["x"] = "wrong"
    (tmp_path / "case.json").write_text(json.dumps(raw), encoding="utf-8")
    done = command(str(tmp_path), "--oracle")
    assert done.returncode == 1
    assert done.stdout == "dst_fall_back: s.x, row 1: expected 'wrong', got 'between'\n0 passed, 1 failed\n"


def test_no_case_at_all_is_no_success(tmp_path):
    assert command(str(tmp_path), "--oracle").returncode == 2
    assert command(str(tmp_path / "missing"), "--oracle").returncode == 2


def test_a_seed_gives_the_same_cases():
    assert json.dumps(list(random_cases(3, 7))) == json.dumps(list(random_cases(3, 7)))
    assert json.dumps(list(random_cases(3, 7))) != json.dumps(list(random_cases(3, 8)))


def test_random_cases_have_the_sizes_at_which_plans_change():
    sizes = {len(raw["expected"]) for raw in random_cases(60, 1)}
    assert sizes >= {1, 64, 65}
    assert len(random_case(Random(1), "big", 5_000)["expected"]) == 5_000


def other(policy, **values):
    (name, (one, two)) = next(iter(values.items()))
    return replace(policy, **{name: two if getattr(policy, name) == one else one})


WRONG = {
    "bound": lambda t: replace(t, policy=other(t.policy, bound=("<", "<="))),
    "ttl edge": lambda t: replace(t, policy=other(t.policy, ttl_edge=("inclusive", "exclusive"))),
    "null keys": lambda t: replace(t, policy=other(t.policy, null_keys=("match", "no_match"))),
    "no knowledge": lambda t: replace(t, policy=replace(t.policy, knowledge=None)),
    "no ttl": lambda t: replace(t, ttl=None),
    "no look-back": lambda t: replace(t, lookback=None),
    "no valid_to": lambda t: replace(t, valid_to=None),
    "no tombstone": lambda t: replace(t, tombstone=None),
    "no known_from": lambda t: replace(t, known_from=None),
    "no known_to": lambda t: replace(t, known_to=None),
    "no offset": lambda t: replace(t, offset=0),
    "the other spine time": lambda t: replace(t, spine_time=t.spine_time and "ts"),
    "no sequence": lambda t: replace(t, sequence=None),
    "no created": lambda t: replace(t, created=t.created if t.policy.knowledge else None),
    "rows backwards": lambda t: replace(t, rows=t.rows[::-1]),
    "rows shorter by a microsecond": lambda t: replace(t, offset=t.offset + 1),
    "no tail hop": lambda t: windows(t, tail_hop=None),
    "no head hop": lambda t: windows(t, head_hop=None),
    "no window": lambda t: windows(t, window=None),
    "half-open windows": lambda t: windows(t, interval="[)"),
}


def windows(table, **changes):
    return replace(table, aggregations={name: replace(a, **changes) for name, a in table.aggregations.items()})


@pytest.fixture(scope="module")
def cases():
    return [case for _, case in invented(150, 3) if len(case.spine) < 5_000]


@pytest.mark.parametrize("rule", WRONG)
def test_random_cases_notice_each_rule_that_an_engine_has_wrong(cases, rule):
    wrong = [replace(case, tables=tuple(map(WRONG[rule], case.tables))) for case in cases]
    noticed = [case.id for case, other in zip(cases, wrong, strict=True) if difference(case, oracle.answer(other))]
    assert len(noticed) >= 3
