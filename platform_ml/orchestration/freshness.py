"""How old an asset may become before Dagster's pages say so: by its cadence, and models by their retraining."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine.staleness import cadence_of
from platform_ml.engine.upstream import Table
from platform_ml.spec.registration import Registration
from platform_ml.triggers import Every

if TYPE_CHECKING:
    from platform_ml.spec.project import Noun

LATE = timedelta(days=1)
"""What a delivery may take, and a run after it."""


def freshness(noun: Noun) -> dg.FreshnessPolicy | None:
    """It warns when a partition is overdue, and fails when a second one is.

    None for what is no table or has no cadence, and for history: where no partition is added any more, nothing grows
    old. A registered model has the cadence of `Every`, if its retraining names one.
    """
    days = _days(noun)
    if not days:
        return None
    step = timedelta(days=days)
    return dg.FreshnessPolicy.time_window(warn_window=step + LATE, fail_window=2 * step + LATE)


def _days(noun: Noun) -> int:
    """Days between two of it; 0: nobody waits for the next one."""
    if isinstance(noun, Registration):
        ended = noun.card.evaluation.model.dataset.cadence.last is not None
        when = noun.retraining.when if noun.retraining and not ended else ()
        return min((trigger.days for trigger in when if isinstance(trigger, Every)), default=0)
    cadence = cadence_of(noun) if isinstance(noun, Table) else None
    return cadence.days if cadence and cadence.last is None else 0
