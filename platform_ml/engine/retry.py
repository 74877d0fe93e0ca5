"""Trying again what may work the next time: said in the log, and counted in the error when it never does."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from platform_ml.spec.errors import PlatformError, SourceError, StoreError
from platform_ml.spec.retry import fault_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tenacity import RetryCallState

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Content, Snapshot, Stamp
    from platform_ml.spec.retry import Retry

T = TypeVar("T")


def patiently(act: Callable[[], T], what: str, *, retry: Retry, work: Work) -> T:
    """What `act` returns, tried as often as declared while it fails in a way that may pass.

    Raises:
        PlatformError: the last attempt failed too; of the same kind, and it says how many there were.
    """
    import tenacity

    def passes(error: BaseException) -> bool:
        return isinstance(error, PlatformError | OSError) and fault_of(error) in retry.on

    def say(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        work.say(
            f"{what}: attempt {state.attempt_number} of {retry.attempts} failed ({fault_of(error)}): {error} "
            f"Trying again in {wait:.1f} s."
        )

    tries = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(retry.attempts),
        wait=lambda state: retry.wait(state.attempt_number, what),
        retry=tenacity.retry_if_exception(passes),
        before_sleep=say,
        sleep=work.platform.pause,
        reraise=True,
    )
    try:
        return tries(act)
    except (PlatformError, OSError) as error:
        if not passes(error):
            raise
        told = f"{error} It was tried {retry.attempts} times." if retry.attempts > 1 else str(error)
        raise (StoreError if isinstance(error, StoreError) else SourceError)(told) from error


def commit(table: str, partitions: Mapping[str, Content], stamp: Stamp, *, work: Work) -> Snapshot:
    """Commit to a table, again where the disk failed in a way that may pass.

    Other writers are no such fault: the store itself starts over from the version that they made. A commit that went
    through all the same is found there and not made twice.
    """
    platform = work.platform
    return patiently(
        lambda: platform.tables.commit(table, partitions, stamp), f"commit to {table}", retry=platform.retry, work=work
    )
