"""What the gates on a metric of every slice have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from platform_ml.gates.slices import Held, PerSlice
from platform_ml.spec.errors import DeclarationError, did_you_mean
from platform_ml.spec.fingerprint import ADDED
from platform_ml.spec.gate import Outcome, Verdict
from platform_ml.spec.naming import check_known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.evaluation import Evaluation, EvaluationResult
    from platform_ml.spec.evidence import Compared


@dataclass(frozen=True)
class SliceLimit(PerSlice):
    """A metric of every slice stays on the right side of a limit, as far as its rows can tell.

    With `limits` each value of the column `by` has a limit of its own, in the metric's unit. Such a limit was set for
    this value by somebody, so it has to be shown to be kept: a value with too few test rows, with none, or without a
    limit while there is no `limit` for all others, is not enough evidence, and so is one that is beyond its limit by no
    more than chance explains.
    """

    metric: str
    limit: float | None = None
    """Of every slice, or of those that `limits` does not name."""
    by: str | None = field(default=None, kw_only=True, metadata=ADDED)
    """The one column whose slices are judged; None: those of all columns."""
    limits: Mapping[str, float] | None = field(default=None, kw_only=True, hash=False, metadata=ADDED)
    """Value of `by`, as the evaluation shows it → its limit."""

    goal: ClassVar[Literal["maximize", "minimize"]]
    """The metrics that it is for."""
    words: ClassVar[str]
    """"at least" or "at most"."""

    def __post_init__(self) -> None:
        where = f"{type(self).__name__} on {self.metric!r}"
        self.check_support(where)
        if self.limits is not None:
            object.__setattr__(self, "limits", dict(self.limits))
            if self.by is None:
                raise DeclarationError(f"{where}: limits are of the values of one column. Say which: by=...")
        own = dict(self.limits or {})
        if self.limit is None and not own:
            raise DeclarationError(f"{where} has no limit. Give one for all slices, or limits={{value: limit}}.")
        for name, limit in {"": self.limit, **own}.items():
            if limit is not None and not math.isfinite(limit):
                raise DeclarationError(f"{where}: limit {limit} {f'of {name!r} ' if name else ''}is no number.")

    @property
    def name(self) -> str:
        """slices_roc_auc_at_least, slices_mae_at_most_by_distance."""
        by = f"_by_{self.by.replace(' ', '_')}" if self.by else ""
        return f"slices_{self.metric}_{self.words.replace(' ', '_')}{by}"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        if self.limits:
            return f"{self.metric} is {self._limits} on the test rows of each {self.by}, at least {self.min_rows:,}."
        of = f" by {self.by}" if self.by else ""
        return (
            f"On no slice{of} of at least {self.min_rows:,} test rows is it shown, corrected for how many there are, "
            f"that {self.metric} is not {self._limits}."
        )

    @property
    def judged_by(self) -> str:
        """roc_auc, at least 0.7."""
        return f"{self.metric}, {self._limits}"

    @property
    def _limits(self) -> str:
        """As a sentence has them: at most 180 (10k), 60 (5k), 300 (others)."""
        if not self.limits:
            return f"{self.words} {self.limit:g}"
        own = [f"{limit:g} ({value})" for value, limit in self.limits.items()]
        return f"{self.words} {', '.join(own + ([f'{self.limit:g} (others)'] if self.limit is not None else []))}"

    @property
    def measures(self) -> tuple[str, ...]:
        """The metric."""
        return (self.metric,)

    @property
    def only(self) -> str | None:
        """The column, if one was named."""
        return self.by

    def check(self, evaluation: Evaluation) -> None:
        """Refuse an unknown metric, one that this gate would hold back for being good, and having no slices."""
        check_known(
            f"Evaluation {evaluation.name!r}", "metric", [self.metric], [metric.name for metric in evaluation.metrics]
        )
        if evaluation.metric(self.metric).goal != self.goal:
            other = "SliceAtLeast" if self.goal == "minimize" else "SliceAtMost"
            raise DeclarationError(
                f"{type(self).__name__} on {self.metric!r}: this would stop good models. Use {other}."
            )
        self.check_slices(evaluation)

    def held(self, one: Compared, value: float, _reference: float, _goal: str) -> Held:
        """The metric itself against the limit; without one nothing is known of the excess."""
        sign, error = -1.0 if self.goal == "maximize" else 1.0, one.spread(1, 0)
        limit = self._limit_of(one.value_of)
        limit = math.nan if limit is None else limit
        return Held(value=value, limit=limit, excess=sign * (value - limit), error=error, value_error=error)

    def judge(self, result: EvaluationResult) -> Verdict:
        """As for every slice; a value with a limit of its own passes only where it is shown to."""
        verdict = super().judge(result)
        if not self.limits:
            return verdict
        known = result.evidence
        found = [one.value_of for one in (known.of(self.metric, self.against, self.by) if known else [])]
        unnamed = {f"{self.by} = {value}" for value in found if self._limit_of(value) is None}
        parts = [replace(part, reason="It has no limit.") if part.gate in unnamed else part for part in verdict.parts]
        parts += [self._absent(value, found) for value in self.limits if value not in found]
        open_ = [part for part in parts if part.outcome is Outcome.NOT_ENOUGH_EVIDENCE]
        verdict = replace(verdict, parts=tuple(parts))
        if not open_ or verdict.outcome is Outcome.FAILED:
            return verdict
        said = "; ".join(f"{part.gate}: {part.reason.rstrip('.')}" for part in open_)
        return replace(
            verdict,
            outcome=Outcome.NOT_ENOUGH_EVIDENCE,
            reason=f"{verdict.reason.rstrip('.')}; not shown to keep its limit: {said}.",
            advice="Test on more rows of these values, or correct their names and limits.",
        )

    def _limit_of(self, value: str) -> float | None:
        return (self.limits or {}).get(value, self.limit)

    def _absent(self, value: str, found: list[str]) -> Verdict:
        return Verdict(
            gate=f"{self.by} = {value}",
            outcome=Outcome.NOT_ENOUGH_EVIDENCE,
            reason=f"No test row has this value.{did_you_mean(value, found)}",
            limit=self._limit_of(value),
            rows=0,
            rows_needed=self.min_rows,
        )
