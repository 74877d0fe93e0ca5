"""What comes in is spread otherwise than what the model learned from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_known, check_unique
from platform_ml.spec.reason import Reason
from platform_ml.spec.trigger import Answer

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.trigger import Reads, State

NAMED = 3
"""Features that a sentence names."""


@dataclass(frozen=True, kw_only=True)
class Drifted:
    """The population stability index of at least so many features exceeds `limit`, and what chance explains.

    From the rows that the newest model learned from to what came in since. Below 0.1 little has changed, above 0.25
    much (Siddiqi 2006, Credit Risk Scorecards).
    """

    limit: float = 0.25
    features: int = 1
    only: tuple[str, ...] = ()
    """These features; empty: all."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.limit) and self.limit > 0):
            raise DeclarationError(f"Drifted: limit {self.limit} is no limit. Use a number above 0.")
        if self.features < 1:
            raise DeclarationError(f"Drifted: {self.features} features have always drifted. Use 1 or more.")
        if self.only and self.features > len(self.only):
            raise DeclarationError(
                f"Drifted: {self.features} features cannot drift when only {len(self.only)} are looked at. Use fewer."
            )
        check_unique("Drifted", "feature", self.only)

    @property
    def name(self) -> str:
        """As it is called."""
        return "drifted"

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        of = f" of {', '.join(self.only)}" if self.only else ""
        return (
            f"The population stability index of {self.features:,} feature{'s' if self.features > 1 else ''}{of} is "
            f"above {self.limit:g} and more than chance explains."
        )

    @property
    def reason(self) -> Reason:
        """What a run is tagged with."""
        return Reason.DRIFT

    @property
    def reads(self) -> Reads:
        """How the features are spread."""
        return "features"

    def check(self, evaluation: Evaluation) -> None:
        """Refuse a feature that the model does not have."""
        check_known("Drifted", "feature", self.only, evaluation.model.dataset.view.feature_names)

    def judge(self, state: State) -> Answer:
        """The features that drifted most are named."""
        known = {name: one for name, one in state.drift.items() if not self.only or name in self.only}
        if not known:
            return Answer(fired=False, says=state.gaps.get("features") or "no feature can be compared yet")
        order = sorted(known, key=lambda name: (-known[name][0], name))
        drifted = [name for name in order if known[name][0] > max(self.limit, known[name][1])]
        named = ", ".join(f"{name} {known[name][0]:.3g}" for name in (drifted or order)[:NAMED])
        says = (
            f"{len(drifted):,} of {self.features:,} features drifted beyond {self.limit:g} since cutoff "
            f"{state.trained}, of {len(known):,} compared; most: {named}"
        )
        return Answer(fired=len(drifted) >= self.features, says=says)
