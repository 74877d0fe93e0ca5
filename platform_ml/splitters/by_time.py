"""Learn from the past, be judged on what came after."""

from __future__ import annotations

from dataclasses import dataclass

from platform_ml.spec.errors import DeclarationError


@dataclass(frozen=True, kw_only=True)
class ByTime:
    """Test on the cutoff, validate on the days before it, train on everything older; a gap before each."""

    validation_days: int
    """How many days of moments are for validation."""
    gap_days: int | None = None
    """Days between the last moment of one split and the first of the next; None: what labels and windows demand."""

    def __post_init__(self) -> None:
        if self.validation_days < 1:
            raise DeclarationError(f"ByTime: validation_days is {self.validation_days}; nothing would be tuned on.")

    def sql(self, *, entity: str, event_time: str, cutoff: str, gap_days: int) -> str:
        """One column: later moments are for later splits, moments in a gap are for none."""
        validation_end = f"{cutoff} - INTERVAL {gap_days} DAY"
        validation_start = f"{cutoff} - INTERVAL {gap_days + self.validation_days} DAY"
        train_end = f"{cutoff} - INTERVAL {2 * gap_days + self.validation_days} DAY"
        return (
            f"CASE WHEN {event_time} = {cutoff} THEN 'test' "
            f"WHEN {event_time} > {validation_start} AND {event_time} <= {validation_end} THEN 'validation' "
            f"WHEN {event_time} <= {train_end} THEN 'train' END"
        )

    def says(self, gap_days: int) -> str:
        """The rule as a sentence."""
        return (
            f"Test on the moment of the cutoff, validate on the {self.validation_days} days that end {gap_days} days "
            f"before it, train on what lies at least {gap_days} days before those."
        )
