"""Why a run was started: said once, by whoever starts it, and read by the tracker and the model card."""

from __future__ import annotations

from enum import StrEnum

REASON_TAG = "platform_ml/reason"
"""The tag of a run that holds a `Reason`."""
DETAIL_TAG = "platform_ml/reason_detail"
"""The tag of a run that says it in a sentence, with numbers: "512 new labelled rows since cutoff 2017-11-04"."""


class Reason(StrEnum):
    """What made a run necessary."""

    NEW_DATA = "new_data"
    """Something was delivered, or enough new labels are known."""
    DRIFT = "drift"
    """What comes in is spread otherwise than what the model learned from."""
    DEGRADATION = "degradation"
    """The model predicts worse than when it was registered."""
    SCHEDULE = "schedule"
    """The time had come."""
    MANUAL = "manual"
    """Somebody asked for it: every run without the tag."""
