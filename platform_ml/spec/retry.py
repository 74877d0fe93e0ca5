"""What passes by itself: faults that are worth another try, and how long one waits between two."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Literal, TypeAlias, get_args

from platform_ml.spec.errors import DeclarationError, SourceError, did_you_mean
from platform_ml.spec.window import check_length

Fault: TypeAlias = Literal["connection", "timeout", "io", "conflict"]
"""What may pass: no connection, no answer in time, a disk or network that failed, somebody else who was first."""
FAULTS: tuple[Fault, ...] = get_args(Fault)
MOST = 100
"""Attempts: more is no patience but a loop."""
ERRNOS: dict[int, Fault] = {
    errno.EIO: "io",
    errno.ESTALE: "io",
    errno.EAGAIN: "io",
    errno.EBUSY: "io",
    errno.ENETDOWN: "connection",
    errno.ENETUNREACH: "connection",
    errno.EHOSTUNREACH: "connection",
}
"""What a disk or network says when it may be there again in a moment; not: missing, forbidden, full."""


class TransientError(SourceError):
    """Something failed that may work the next time."""

    def __init__(self, message: str, fault: Fault) -> None:
        super().__init__(message)
        self.fault: Fault = fault


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often something is tried that failed in a way that may pass; any other fault is final at once."""

    attempts: int = 5
    """In all; 1 never tries again."""
    first: timedelta = timedelta(seconds=1)
    """The wait before the second attempt; each later one is twice as long as the one before."""
    longest: timedelta = timedelta(minutes=1)
    jitter: float = 0.5
    """The share of each wait that is left to chance, so that many who failed at once do not come back at once."""
    on: tuple[Fault, ...] = FAULTS
    """The faults that are tried again."""

    def __post_init__(self) -> None:
        if not 1 <= self.attempts <= MOST:
            raise DeclarationError(f"Retry: attempts is a number from 1 to {MOST}, not {self.attempts}.")
        if not timedelta(0) <= self.first <= self.longest:
            raise DeclarationError(f"Retry: first {self.first} must be between 0 and longest {self.longest}.")
        check_length("Retry", "longest", self.longest)
        if not 0 <= self.jitter <= 1:
            raise DeclarationError(f"Retry: jitter is a share from 0 to 1, not {self.jitter}.")
        for fault in self.on:
            if fault not in FAULTS:
                near = did_you_mean(fault, FAULTS)
                raise DeclarationError(f"Retry: there is no fault {fault!r}.{near} Known: {', '.join(FAULTS)}.")

    def wait(self, failed: int, what: str) -> float:
        """Seconds to wait after so many failed attempts; chance is seeded with `what`, so a run can be told again.

        >>> patient = Retry(first=timedelta(seconds=4), longest=timedelta(seconds=10), jitter=0)
        >>> [patient.wait(failed, "shop/orders") for failed in (1, 2, 3)]
        [4.0, 8.0, 10.0]
        """
        whole = min(self.first.total_seconds() * 2.0 ** (failed - 1), self.longest.total_seconds())
        chance = Random(f"{what} {failed}").random()  # noqa: S311 - only spreads attempts in time
        return whole * (1 - self.jitter * chance)


def fault_of(error: BaseException | None) -> Fault | None:
    """Which fault that may pass an error comes from; None when it is final.

    >>> print(fault_of(ConnectionResetError()), fault_of(FileNotFoundError()))
    connection None
    """
    while error is not None:
        match error:
            case TransientError():
                return error.fault
            case TimeoutError():
                return "timeout"
            case ConnectionError():
                return "connection"
            case OSError():
                return ERRNOS.get(error.errno or 0)
        error = error.__cause__
    return None
