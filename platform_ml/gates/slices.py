"""What the gates on slices have in common: one test a slice, corrected for how many slices there are."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, ClassVar

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import ALL
from platform_ml.spec.gate import Outcome, Verdict
from platform_ml.spec.naming import check_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.evaluation import Evaluation, EvaluationResult
    from platform_ml.spec.evidence import Compared

ALPHA = 0.05
"""How often at least one of all slices is found too bad by chance alone, at most: Holm (1979), over every slice."""
POWER = 0.9
"""How surely the rows that are named as needed would show what is there."""
NAMED = 3
"""Undecided slices that a reason names; the verdict's parts have them all."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A slice's number, and how far it is beyond the limit."""

    value: float
    limit: float
    excess: float
    """Above 0 is beyond the limit; in a unit in which its standard error is known."""
    error: float | None
    """Of the excess; None where resamples do not tell."""
    value_error: float | None
    """Standard error of the value."""


@dataclass(frozen=True)
class PerSlice:
    """Every slice of test rows keeps a limit; one that does not by more than chance explains stops the model.

    The excess over the limit in units of its standard error is compared with Student's t of as many degrees of freedom
    as the slice has entities, less one: of losses, which are skewed to the right, that is the careful side.
    """

    min_rows: int = field(default=30, kw_only=True)
    """Smaller slices are named, not judged."""

    against: ClassVar[str] = ALL
    sides: ClassVar[int] = 1
    """2 where a number may be too high as well as too low."""

    @property
    def name(self) -> str:
        """As the members call it."""
        raise NotImplementedError

    @property
    def judged_by(self) -> str:
        """What is measured and what the limit is, as words."""
        raise NotImplementedError

    @property
    def measures(self) -> tuple[str, ...]:
        """What is held against the limit."""
        raise NotImplementedError

    @property
    def only(self) -> str | None:
        """The one column that is looked at; None: all of them."""
        return None

    def held(self, one: Compared, value: float, reference: float, goal: str) -> Held:
        """A slice against the limit."""
        raise NotImplementedError

    def check_support(self, where: str) -> None:
        """Refuse a support of nothing."""
        if self.min_rows < 1:
            raise DeclarationError(f"{where}: min_rows is {self.min_rows}; it is 1 or more.")

    def check_slices(self, evaluation: Evaluation) -> None:
        """Refuse an evaluation without slices, or without this one."""
        where = f"Evaluation {evaluation.name!r}"
        if not evaluation.slices:
            helpers = evaluation.model.dataset.view.helper_names
            choice = f"Choose from {', '.join(helpers)}" if helpers else "Give the view helpers to slice by"
            raise DeclarationError(f"{where} has no slices for {self.name} to judge. {choice}.")
        if self.only is not None:
            check_known(where, "slice column", [self.only], evaluation.sliced_by)

    def judge(self, result: EvaluationResult) -> Verdict:
        """Fail when a slice is beyond the limit for sure; slices without enough data never count as passed."""
        known = result.evidence
        found = [one for name in self.measures for one in (known.of(name, self.against, self.only) if known else [])]
        pairs = [(one, self._held(one, result.goals.get(one.measure, ""))) for one in found]
        judged = [(one, held) for one, held in pairs if held is not None and self._supported(one)]
        chances = holm([self.sides * chance(held, degrees(one)) for one, held in judged])
        decided = {id(one): probability for (one, _), probability in zip(judged, chances, strict=True)}
        parts = [self._part(one, held, decided.get(id(one)), len(judged)) for one, held in pairs]
        excess = [held.excess / held.error if held and held.error else 0.0 for _, held in pairs]
        return self._verdict(parts, excess)

    def _held(self, one: Compared, goal: str) -> Held | None:
        if one.value is None or one.reference is None:
            return None
        held = self.held(one, one.value, one.reference, goal)
        settled = held.error is not None and (held.error > 0 or held.excess <= 0)
        return held if settled and math.isfinite(held.excess) else None

    def _supported(self, one: Compared) -> bool:
        return min(one.rows, one.reference_rows) >= self.min_rows and degrees(one) >= 1

    def _part(self, one: Compared, held: Held | None, probability: float | None, tests: int) -> Verdict:
        title = one.title if len(self.measures) == 1 else f"{one.title}, {one.measure}"
        if held is None or probability is None:
            return Verdict(
                gate=title,
                outcome=Outcome.NOT_ENOUGH_EVIDENCE,
                reason=f"{one.rows:,} rows of {one.entities:,} entities are not enough data.",
                value=held.value if held else None,
                limit=held.limit if held else None,
                rows=one.rows,
                rows_needed=self.min_rows if one.rows < self.min_rows else None,
            )
        half = quantile(degrees(one)) * (held.value_error or 0.0)
        outcome = Outcome.PASSED if held.excess <= 0 else Outcome.NOT_ENOUGH_EVIDENCE
        outcome = Outcome.FAILED if probability <= ALPHA else outcome
        low, high = held.value - half, held.value + half
        return Verdict(
            gate=title,
            outcome=outcome,
            reason=f"{held.value:.4f} [{low:.4f}, {high:.4f}] ({one.rows:,} rows).",
            value=held.value,
            limit=held.limit,
            low=low,
            high=high,
            rows=one.rows,
            rows_needed=_needed(one, held, tests * self.sides) if outcome is Outcome.NOT_ENOUGH_EVIDENCE else None,
        )

    def _verdict(self, parts: Sequence[Verdict], excess: Sequence[float]) -> Verdict:
        below = [part for part in parts if part.outcome is Outcome.FAILED]
        decided = [part for part in parts if part.low is not None]
        unclear = [part for part in decided if part.outcome is Outcome.NOT_ENOUGH_EVIDENCE]
        small = [part for part in parts if part.low is None]
        outcome = Outcome.FAILED if below else Outcome.PASSED if decided else Outcome.NOT_ENOUGH_EVIDENCE
        ordered = sorted(zip(excess, parts, strict=True), key=lambda pair: -pair[0])
        shown = [part for _, part in ordered if part in below] or [part for _, part in ordered if part in decided][:1]
        said = [f"{len(decided)} of {len(parts)} slices judged by {self.judged_by}"]
        if shown:
            said.append(f"{'beyond it' if below else 'worst'}: {', '.join(map(_said, shown))}")
        if unclear:
            rows = [f"{part.gate} (about {part.rows_needed or 0:,} rows would tell)" for part in unclear[:NAMED]]
            said.append(f"beyond it, but no more than chance explains: {', '.join(rows)}{_more(unclear)}")
        if small:
            said.append(f"not enough data: {', '.join(part.gate for part in small[:NAMED])}{_more(small)}")
        decisive = shown[0] if shown else None
        return Verdict(
            gate=self.name,
            outcome=outcome,
            reason="; ".join(said) + ".",
            advice=self._advice(outcome),
            value=decisive.value if decisive else None,
            limit=decisive.limit if decisive else None,
            low=decisive.low if decisive else None,
            high=decisive.high if decisive else None,
            rows=decisive.rows if decisive else None,
            rows_needed=self.min_rows if not decided and parts else None,
            parts=tuple(parts),
        )

    def _advice(self, outcome: Outcome) -> str:
        if outcome is Outcome.FAILED:
            return (
                "It is more than chance explains. Look for features that mean something else there, and for "
                "slices with few training rows."
            )
        if outcome is Outcome.NOT_ENOUGH_EVIDENCE:
            return (
                f"Slice by a column whose values have at least {self.min_rows:,} test rows of different outcomes, test "
                "on more rows, or materialize the evaluation again if it is an old one."
            )
        return ""


def holm(probabilities: Sequence[float]) -> list[float]:
    """Each as large as it has to be for all of them together: Holm (1979), A simple sequentially rejective procedure.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    count, least = len(probabilities), 0.0
    found = [1.0] * count
    for place, at in enumerate(sorted(range(count), key=lambda at: probabilities[at])):
        least = max(least, min(1.0, (count - place) * probabilities[at]))
        found[at] = least
    return found


def chance(held: Held, freedom: int) -> float:
    """How probable such an excess, or a greater one, is where there is none; one-sided."""
    from scipy.special import stdtr

    return float(stdtr(freedom, -held.excess / held.error)) if held.error else 1.0


def quantile(freedom: int) -> float:
    """Half of a 95 % interval, in standard errors."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1 - ALPHA / 2))


def degrees(one: Compared) -> int:
    """Of freedom: entities of the smaller side, less one."""
    return min(one.entities, one.reference_entities) - 1


def _needed(one: Compared, held: Held, tests: int) -> int:
    """An interval narrows with the square root of the rows."""
    normal = NormalDist()
    wanted = normal.inv_cdf(1 - ALPHA / tests) + normal.inv_cdf(POWER)
    return max(one.rows + 1, math.ceil(one.rows * (wanted * (held.error or 0.0) / held.excess) ** 2))


def _said(part: Verdict) -> str:
    return f"{part.gate} {part.reason.rstrip('.')}"


def _more(parts: Sequence[Verdict]) -> str:
    return f" and {len(parts) - NAMED} more" if len(parts) > NAMED else ""
