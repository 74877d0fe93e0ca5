"""A rule that a model has to pass, judged on the numbers of its evaluation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult
    from platform_ml.spec.waiver import Waiver


class Outcome(StrEnum):
    """What a gate says."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_ENOUGH_EVIDENCE = "not enough evidence"


@dataclass(frozen=True, kw_only=True)
class BoundTo:
    """What was judged, and by which rules: of anything else a verdict says nothing."""

    model: str
    """Digest of the model."""
    dataset: str
    evaluation: str
    """Digest of the numbers."""
    policy: str
    """Fingerprint of the registration: gates, waivers and evaluation."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A gate's answer, with the numbers behind it; a number that is not finite is `None`, which is not defined."""

    gate: str
    outcome: Outcome
    reason: str
    """One sentence: value, limit, interval and support."""
    advice: str = ""
    """What to do about it."""
    value: float | None = None
    """What was held against the limit; of several slices that of the worst."""
    limit: float | None = None
    low: float | None = None
    """The 95 % interval of the value."""
    high: float | None = None
    rows: int | None = None
    """Support: the rows that the value is about."""
    rows_needed: int | None = None
    """About how many of them would settle it; None where it is settled, or nobody can say."""
    parts: tuple[Verdict, ...] = ()
    """What it is made of: slices, or other gates."""
    advisory: bool = False
    """Whether it holds no model back, whatever it says."""
    waiver: Waiver | None = None
    """Who answers for it that it holds this model back not, although it did not pass."""
    bound_to: BoundTo | None = None
    """None until a registration has judged."""

    def __post_init__(self) -> None:
        for name in ("value", "limit", "low", "high"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                object.__setattr__(self, name, None)

    @property
    def passed(self) -> bool:
        """Whether the gate says yes: not enough evidence is no yes."""
        return self.outcome is Outcome.PASSED

    @property
    def stops(self) -> bool:
        """Whether the model may not go on."""
        return not self.passed and not self.advisory and self.waiver is None

    @property
    def numbers(self) -> dict[str, float]:
        """Those of its numbers that are defined, by name."""
        named = {
            "value": self.value,
            "limit": self.limit,
            "low": self.low,
            "high": self.high,
            "rows": self.rows,
            "rows_needed": self.rows_needed,
        }
        return {name: number for name, number in named.items() if number is not None}


def is_advisory(gate: Gate) -> bool:
    """Whether this gate only advises: its verdict stops no model."""
    return bool(getattr(gate, "advisory", False))


class Gate(Protocol):
    """A rule with a name; every verdict fails closed when a number is not defined."""

    @property
    def name(self) -> str:
        """lower_snake_case, unique within a registration: also the name of the asset check."""
        ...

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        ...

    def check(self, evaluation: Evaluation) -> None:
        """Raise `DeclarationError` when the evaluation will not have the numbers that the gate needs."""
        ...

    def judge(self, result: EvaluationResult) -> Verdict:
        """The verdict on these numbers."""
        ...
