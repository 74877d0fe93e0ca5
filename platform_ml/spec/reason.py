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


SAYS = {
    Reason.NEW_DATA: "New data: enough new rows had a known outcome.",
    Reason.DRIFT: "Drift: what came in was spread otherwise than what the model before had learned from.",
    Reason.DEGRADATION: "Degradation: the model in use predicted worse than when it was registered.",
    Reason.SCHEDULE: "Schedule: the time had come.",
    Reason.MANUAL: "Manual: somebody asked for it.",
}


def reason_says(reason: str, detail: str = "") -> str:
    """Why something was made, in sentences; a reason that is not known here is shown as it is.

    >>> reason_says("new_data", "512 of 500 new labelled rows since cutoff 2017-11-04")
    'New data: enough new rows had a known outcome. 512 of 500 new labelled rows since cutoff 2017-11-04.'
    """
    known = SAYS[Reason(reason)] if reason in set(Reason) else f"{reason}."
    return f"{known} {detail.rstrip('.')}." if detail else known
