"""Asks the engine about cases, and says in one line a case what is wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml_tests.point_in_time.case import CaseError, load, parse
from platform_ml_tests.point_in_time.random_cases import random_cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from platform_ml_tests.point_in_time.case import Case

    Answer = Callable[[Case, int], Sequence[dict[str, Any]]]

PICKED = 0.0
AGGREGATED = 1e-9


@dataclass(kw_only=True)
class Tally:
    """How many cases passed and failed."""

    passed: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def run(cases: Iterable[tuple[str, Case | Exception]], answer: Answer, threads: Sequence[int]) -> Iterator[str | Tally]:
    """One line for each failing case, then the tally; a case passes if it does at every number of threads."""
    tally = Tally()
    for name, case in cases:
        line = str(case) if isinstance(case, Exception) else failure(case, answer, threads)
        if line is None:
            tally.passed += 1
        else:
            tally.failed += 1
            yield f"{name}: {' '.join(line.split())}"
    yield tally


def files(folder: Path) -> Iterator[tuple[str, Case | Exception]]:
    """The cases of a folder; one that cannot be read is a failure, never left out."""
    for path in sorted(folder.glob("*.json")):
        try:
            case = load(path)
            yield case.id, case if case.expected is not None else CaseError("nothing is expected.")
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one file, the others are judged
            yield path.name, error


def invented(number: int, seed: int) -> Iterator[tuple[str, Case]]:
    """Random cases with the oracle's answers."""
    for raw in random_cases(number, seed):
        yield raw["id"], parse(raw)


def failure(case: Case, answer: Answer, threads: Sequence[int]) -> str | None:
    """The first thing wrong with the engine's answer, or None."""
    for number in threads:
        at = f" at {number} threads" if len(threads) > 1 else ""
        try:
            got = answer(case, number)
        except Exception as error:  # noqa: BLE001 - an engine that breaks in one case is judged in the others
            return f"{type(error).__name__}{at}: {error}"
        if line := difference(case, got):
            return line + at
    return None


def difference(case: Case, got: Sequence[dict[str, Any]]) -> str | None:
    """Where an answer departs from the expected one: table and column, row, both values, and how many more."""
    expected = case.expected or ()
    if missing := [set(case.columns) - set(row) for row in got if set(case.columns) - set(row)]:
        return f"columns {sorted(missing[0])} are missing"
    if len(got) != len(expected):
        return f"expected {len(expected)} rows, got {len(got)}"
    owners = {name: t.name for t in case.tables for name in (*t.features, *t.aggregations)}
    tolerance = {name: AGGREGATED for t in case.tables for name, a in t.aggregations.items() if a.op not in EXACT}
    found = []
    for number, (wanted, row) in enumerate(zip(expected, got, strict=True)):
        # A spine row may leave a column out, which is a null; a column of a table is always there.
        if set(wanted) - set(row) or (set(row) - set(wanted)) & owners.keys():
            return f"row {number}: expected columns {sorted(wanted)}, got {sorted(row)}"
        found += [
            f"{owners.get(column, 'spine')}.{column}, row {number}: expected {wanted.get(column)!r}, got {value!r}"
            for column, value in row.items()
            if not equal(wanted.get(column), value, tolerance.get(column, PICKED))
        ]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return found[0] + more if found else None


EXACT = ("count", "distinct", "count_distinct", "nunique", "first", "last", "min", "max")


def equal(wanted: Any, got: Any, tolerance: float) -> bool:
    """Whether two values are the same; NaN is itself and no null, a bool is no number, and 1 is 1.0.

    >>> equal(math.nan, math.nan, 0.0), equal(math.nan, None, 0.0), equal(True, 1, 0.0), equal(2**53 + 1, 2.0**53, 0.0)
    (True, False, False, False)
    """
    if not (number(wanted) and number(got)):
        return type(wanted) is type(got) and wanted == got
    if math.isnan(wanted) or math.isnan(got):
        return math.isnan(wanted) and math.isnan(got)
    return bool(wanted == got) or (tolerance > 0 and math.isclose(wanted, got, rel_tol=tolerance, abs_tol=1e-12))


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
