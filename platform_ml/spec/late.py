"""Rows that are delivered again, a partition or more later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from platform_ml.spec.errors import DeclarationError, did_you_mean

Both: TypeAlias = Literal["both", "earlier"]
KEPT = ("both", "earlier")
LONGEST = 366


@dataclass(frozen=True, kw_only=True)
class Late:
    """What becomes of a row whose key an earlier partition has: one that begins at most `days` days before.

    With "both" they stay, and are counted in a warning. With "earlier" the late row is rejected with its reason. What
    a partition then holds depends on those before it, as they are in the table when it is materialized. It is a part
    of its inputs, so a partition that was materialized before an earlier one is stale as soon as that holds other
    rows. Once nothing is stale, every partition holds what it would hold had they come in order, oldest first,
    whatever the order was: its good rows without the keys of the rows that the partitions of the `days` days before
    it hold. Until then two partitions can hold the same key; the count says so when the second one comes.
    """

    days: int = 7
    """How far back to look; 0 is not at all, as for a source that is a new picture of the same things every day."""
    keep: Both = "both"

    def __post_init__(self) -> None:
        if not 0 <= self.days <= LONGEST:
            raise DeclarationError(f"Late: days {self.days} is not from 0 to {LONGEST}. Look back less.")
        if self.keep not in KEPT:
            raise DeclarationError(
                f"Late: keep {self.keep!r} is not known.{did_you_mean(self.keep, KEPT)} Known: {', '.join(KEPT)}. To "
                "keep the later row would change a partition that is done."
            )
