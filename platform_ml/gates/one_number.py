"""What the gates on one measured number with an interval have in common."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from platform_ml.spec.gate import Outcome, Verdict

if TYPE_CHECKING:
    from platform_ml.spec.evidence import Measured


def judged(gate: str, found: Measured, *, what: str, limit: float, at_least: bool, rows: int, advice: str) -> Verdict:
    """Pass a point value that keeps the limit, fail where the whole interval does not; between the two ask for rows."""
    words = "at least" if at_least else "at most"
    shown = "not defined" if found.value is None else f"{found.value:.4f}"
    if found.value is not None and found.low is not None and found.high is not None:
        shown += f" [{found.low:.4f}, {found.high:.4f}]"
    verdict = Verdict(
        gate=gate,
        outcome=Outcome.NOT_ENOUGH_EVIDENCE,
        reason=f"{what} is {shown} on {rows:,} test rows, must be {words} {limit:g}.",
        advice="Materialize the evaluation again with test rows that it can be measured on.",
        value=found.value,
        limit=limit,
        low=found.low,
        high=found.high,
        rows=rows,
    )
    if found.value is None:
        return verdict
    excess = limit - found.value if at_least else found.value - limit
    if excess <= 0:
        return _with(verdict, Outcome.PASSED, "")
    near = found.high if at_least else found.low
    if near is None or (near >= limit if at_least else near <= limit):
        needed = None if near is None else math.ceil(round(rows * ((found.value - near) / excess) ** 2, 6))
        more = "" if needed is None else f" If it is real, about {needed:,} test rows would show it."
        return _with(verdict, Outcome.NOT_ENOUGH_EVIDENCE, f"It may be chance.{more} {advice}", needed)
    return _with(verdict, Outcome.FAILED, advice)


def _with(verdict: Verdict, outcome: Outcome, advice: str, needed: int | None = None) -> Verdict:
    return replace(verdict, outcome=outcome, advice=advice, rows_needed=needed)
