"""How many threads a fit may use: what the environment says, and no declaration."""

from __future__ import annotations

import os

from platform_ml.spec.errors import PlatformError

VARIABLE = "PLATFORM_ML_THREADS"


def threads() -> int:
    """PLATFORM_ML_THREADS, or 1. It is for families whose models are the same bytes for any number of threads.

    One, because several models are trained side by side, and threads that wait for a busy core make it many times
    slower. Where a machine trains one model at a time, as many as it has cores is best.
    """
    said = os.environ.get(VARIABLE, "1")
    if not (said.isdecimal() and int(said) > 0):
        raise PlatformError(f"{VARIABLE} is {said!r}. Set it to a whole number above 0, or leave it out: that is 1.")
    return int(said)
