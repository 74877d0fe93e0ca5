"""What the checks on single rows have in common: at most a declared share of them may be bad."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.spec.check import DataCheck, Judgement, check_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.check import Seen


@dataclass(frozen=True)
class ShareOfRows(DataCheck):
    """At most `max_share` of the rows of a partition are bad."""

    max_share: float = field(default=0.0, kw_only=True)
    blocking: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        check_share(type(self).__name__, "max_share", self.max_share)

    @property
    def fault(self) -> str:
        """What is the matter with a bad row: "have no brand"."""
        raise NotImplementedError

    def bad(self) -> str:
        """SQL that is true of a bad row."""
        raise NotImplementedError

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"At most {self.max_share:.2%} of the rows {self.fault}."

    def aggregates(self) -> Mapping[str, str]:
        """How many rows are bad."""
        return {"bad": f"count_if({self.bad()})"}

    def judge(self, seen: Seen) -> Judgement:
        """Compare the share; a partition without rows passes."""
        rows, bad = seen.statistics.rows, int(seen.numbers["bad"] or 0)
        share = bad / rows if rows else 0.0
        reason = f"{bad:,} of {rows:,} rows ({share:.2%}, allowed {self.max_share:.2%}) {self.fault}."
        return Judgement(passed=share <= self.max_share, reason=reason, numbers={"rows": bad, "share": share})
