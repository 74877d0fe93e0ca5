"""When a model is trained again, without anybody asking for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.naming import check_name, check_unique
from platform_ml.spec.window import spelled

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.trigger import Reads, Trigger


@dataclass(frozen=True, kw_only=True)
class Retraining:
    """The model of the newest cutoff is trained as soon as one of these triggers fires and all of its rows are there.

    A model that its gates refuse is not trained again on the same rows.
    """

    when: tuple[Trigger, ...]
    """Of those that fire together the first one is the reason that the run is tagged with; all of them are told."""
    pause: timedelta = timedelta(hours=1)
    """At least so long after the last training began, however many triggers fire meanwhile."""

    def __post_init__(self) -> None:
        if not self.when:
            raise DeclarationError("Retraining has no triggers, so nothing would be trained. Name one, or drop it.")
        for trigger in self.when:
            check_name("Trigger", trigger.name)
        check_unique("Retraining", "trigger", [trigger.name for trigger in self.when])
        if self.pause < timedelta(0):
            raise DeclarationError(f"Retraining: a pause of {self.pause} is no time to wait. Use 0 or more.")

    @property
    def rule(self) -> str:
        """When, as sentences."""
        wait = f" At most once in {spelled(self.pause)}." if self.pause else ""
        return " Or: ".join(trigger.rule for trigger in self.when) + wait

    @property
    def reads(self) -> frozenset[Reads]:
        """What has to be measured for its triggers."""
        return frozenset(trigger.reads for trigger in self.when)

    def check(self, evaluation: Evaluation) -> None:
        """Raise `DeclarationError` when a trigger asks for what this evaluation does not measure."""
        for trigger in self.when:
            trigger.check(evaluation)
