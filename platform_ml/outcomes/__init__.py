"""What can happen after a moment: one file per outcome."""

from platform_ml.outcomes.no_event import NoEvent

__all__ = ["NoEvent"]
