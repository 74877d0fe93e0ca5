"""A rule that says when a model is to be trained again, judged on plain numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.evaluation import Estimate, Evaluation
    from platform_ml.spec.reason import Reason

Reads = Literal["labels", "features", "performance"]
"""What a trigger has to be told: what is not read is not measured."""


@dataclass(frozen=True, kw_only=True)
class Performance:
    """A metric of the version in use: when it was registered, and on the rows whose outcome became known since."""

    title: str
    goal: str
    """maximize or minimize."""
    then: Estimate
    now: Estimate

    @property
    def loss(self) -> float | None:
        """By how much it is worse now; negative: better. None where one of them is not defined."""
        if self.then.value is None or self.now.value is None:
            return None
        lost = self.then.value - self.now.value
        return lost if self.goal == "maximize" else -lost


@dataclass(frozen=True, kw_only=True)
class State:
    """What is known of a registered model and of what came in since; collected once, judged by all triggers."""

    trained: str = ""
    """Cutoff of the newest model, whether or not its gates passed; empty: there is none."""
    newest: str = ""
    """The newest cutoff that has all of its rows; empty: there is none."""
    new_rows: int = 0
    """Rows with a known outcome, up to the newest cutoff, that the newest model was not made of."""
    new_days: int = 0
    """From the cutoff of the newest model to the newest cutoff."""
    drift: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))
    """Feature → population stability index from its training rows to what came in since, and what chance explains."""
    in_use: str = ""
    """NAME@VERSION of the version that is in use; empty: there is none."""
    known_rows: int = 0
    """Rows later than its cutoff whose outcome is known by now."""
    performance: Mapping[str, Performance] = field(default_factory=lambda: MappingProxyType({}))
    """By the name of the metric."""
    gaps: Mapping[Reads, str] = field(default_factory=lambda: MappingProxyType({}))
    """Why something could not be measured."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a trigger says of a state."""

    fired: bool
    says: str
    """One sentence with the numbers behind it, also of what did not fire: how far it is from firing."""


class Trigger(Protocol):
    """A rule with a name; what is not known never fires."""

    @property
    def name(self) -> str:
        """lower_snake_case, unique within a `Retraining`."""
        ...

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        ...

    @property
    def reason(self) -> Reason:
        """What a run is tagged with that it asks for."""
        ...

    @property
    def reads(self) -> Reads:
        """What of the state it looks at."""
        ...

    def check(self, evaluation: Evaluation) -> None:
        """Raise `DeclarationError` when the model will not have the numbers that the trigger needs."""
        ...

    def judge(self, state: State) -> Answer:
        """Whether it is time."""
        ...
