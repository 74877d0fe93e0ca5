"""The engine against the case files, and against the oracle in random cases."""

from pathlib import Path
from random import Random

import pytest

from platform_ml_tests.point_in_time.case import load, parse
from platform_ml_tests.point_in_time.declared import answer
from platform_ml_tests.point_in_time.random_cases import random_case
from platform_ml_tests.point_in_time.runner import Tally, difference, invented, run

CASES = sorted(Path(__file__).with_name("cases").glob("*.json"))
THREADS = (1, 2, 4)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem.removeprefix("case_"))
def test_every_case_file(path, threads):
    case = load(path)
    assert difference(case, answer(case, threads)) is None


@pytest.mark.parametrize("seed", range(100, 104))
def test_random_cases(seed):
    assert list(run(invented(40, seed), answer, THREADS)) == [Tally(passed=40)]


@pytest.mark.parametrize("seed", range(3))
def test_an_answer_does_not_depend_on_how_many_are_asked_for(seed):
    raw = random_case(Random(seed), "big", 5_000)
    for size in (5_000, 65, 64, 1):
        spine = raw["spine"] | {"rows": raw["spine"]["rows"][:size]}
        case = parse(raw | {"spine": spine, "expected": raw["expected"][:size]})
        assert difference(case, answer(case, 2)) is None


def test_values_of_mixed_kinds_come_back_as_they_were():
    raw = {
        "id": "mixed",
        "kind": "pit",
        "spine": {"event_time": "ts", "rows": [{"id": 1, "ts": "2024-01-02", "note": 1}, {"id": 2, "note": [None]}]},
        "tables": [
            {
                "name": "t",
                "keys": {"id": "id"},
                "event_time": "et",
                "features": ["x", {"from": "et", "as": "seen"}],
                "rows": [{"id": 1, "et": "2024-01-01", "x": [0.5, 1]}, {"id": 2, "et": "2024-01-01", "x": "a"}],
            }
        ],
        "expected": [
            {"id": 1, "ts": "2024-01-02", "note": 1, "x": [0.5, 1], "seen": "2024-01-01"},
            {"id": 2, "ts": None, "note": [None], "x": None, "seen": None},
        ],
    }
    case = parse(raw)
    assert difference(case, answer(case, 1)) is None
