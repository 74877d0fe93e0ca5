"""How a project runs by itself: how long it waits, how much it asks for at once, how often it tries again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from platform_ml.spec.errors import DeclarationError


@dataclass(frozen=True, kw_only=True)
class Automation:
    """What the sensors of a project may do without being asked. It changes no data, so it makes nothing stale."""

    running: bool = False
    """Whether sensors and schedules run as soon as they are deployed; otherwise somebody switches them on."""
    every: timedelta = timedelta(seconds=30)
    """How often deliveries are looked at."""
    settle: timedelta = timedelta(minutes=1)
    """How long nothing new may have come before a burst of deliveries is loaded; after ten times that it is anyway."""
    max_partitions_per_run: int = 92
    """Longer ranges are cut: what fails then fails alone."""
    max_runs_per_tick: int = 8
    """The rest is asked for at the next look."""
    attempts: int = 3
    """How often a partition is tried whose delivery, declaration and code stay what they are."""
    retry_after: timedelta = timedelta(minutes=30)
    """The pause after the first failure; it doubles with each."""

    def __post_init__(self) -> None:
        for name in ("max_partitions_per_run", "max_runs_per_tick", "attempts"):
            if getattr(self, name) < 1:
                raise DeclarationError(
                    f"Automation: {name} of {getattr(self, name)} would do nothing. Use 1 or more, or running=False."
                )
        for name in ("settle", "retry_after"):
            if getattr(self, name) < timedelta(0):
                raise DeclarationError(f"Automation: {name} is negative. Use timedelta(0) for no pause.")
        if self.every < timedelta(seconds=1):
            raise DeclarationError(f"Automation: every {self.every} is too often. Use a second or more.")
