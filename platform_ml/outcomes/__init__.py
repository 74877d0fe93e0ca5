"""What can happen after a moment: one file per outcome."""

from platform_ml.outcomes.any_event import AnyEvent
from platform_ml.outcomes.no_event import NoEvent
from platform_ml.outcomes.total import Total
from platform_ml.outcomes.unlabelled import Unlabelled

__all__ = ["AnyEvent", "NoEvent", "Total", "Unlabelled"]
