"""What all tuners let a project choose."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.fingerprint import ADDED, replacing
from platform_ml.spec.naming import check_unique
from platform_ml.tuners.median import Median

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.tuner import Objective, Pruner


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """A search that draws one trial after the other, or `parallel` of them at a time.

    The same seed gives the same trials, however long each takes. A limit in `seconds` is checked between trials and
    gives that up: how many fit into it depends on the machine.
    """

    trials: int = 30
    seconds: float | None = None
    pruner: Pruner | None = field(default=Median(), metadata=replacing(prune=True, warmup_steps=50))
    """What stops trials that fall behind; None: every trial runs to its end."""
    parallel: int = field(default=1, metadata=ADDED)
    """Trials that are drawn together, none knowing of the others' scores, and run at once in processes of their own."""
    warm_start: bool = field(default=False, metadata=ADDED)
    """Begin with the parameters of the model that was published for the cutoff before."""
    objectives: tuple[Objective, ...] = field(default=(), metadata=ADDED)
    """What counts beside quality: `Latency()`, `Size()`, each with a limit or without."""

    def __post_init__(self) -> None:
        where = type(self).__name__
        for name in ("trials", "startup_trials", "seconds", "parallel"):
            value = getattr(self, name, None)
            if value is not None and value <= 0:
                raise DeclarationError(f"{where}: {name}={value!r} is out of bounds. Use a number above 0.")
        check_unique(where, "objective", [objective.name for objective in self.objectives])

    def converged(self, scores: Sequence[float]) -> str:
        """Nothing but the number of trials and the time ends it."""
        return ""
