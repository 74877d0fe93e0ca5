import errno
from datetime import timedelta

import pytest

from platform_ml.spec.errors import DeclarationError, SourceError
from platform_ml.spec.retry import Retry, TransientError, fault_of


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attempts": 0}, "attempts is a number from 1 to 100, not 0"),
        ({"attempts": 101}, "attempts is a number from 1 to 100, not 101"),
        ({"first": timedelta(hours=1)}, "first 1:00:00 must be between 0 and longest 0:01:00"),
        ({"first": timedelta(-1)}, "must be between 0 and longest"),
        ({"longest": timedelta(days=99_999)}, "longest of 99,999 days is longer than a hundred years"),
        ({"jitter": 1.5}, "jitter is a share from 0 to 1, not 1.5"),
        ({"on": ("conection",)}, r"there is no fault 'conection'\. Did you mean 'connection'\?"),
    ],
)
def test_a_wrong_retry_cannot_be_made(changes, message):
    with pytest.raises(DeclarationError, match=message):
        Retry(**changes)


def test_waits_double_up_to_the_longest_and_chance_only_shortens_them():
    exact = Retry(jitter=0, longest=timedelta(seconds=5))
    assert [exact.wait(failed, "a") for failed in range(1, 6)] == [1, 2, 4, 5, 5]
    spread = Retry(jitter=0.5)
    waits = [spread.wait(3, f"partition {n}") for n in range(200)]
    assert 2 <= min(waits) < 2.2
    assert 3.8 < max(waits) <= 4
    assert waits == [spread.wait(3, f"partition {n}") for n in range(200)]


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (TransientError("busy", "conflict"), "conflict"),
        (caused(SourceError("cannot be read"), OSError(errno.EIO, "I/O error")), "io"),
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError(), "connection"),
        (OSError(errno.EHOSTUNREACH, "no route"), "connection"),
        (FileNotFoundError(errno.ENOENT, "gone"), None),
        (PermissionError(errno.EACCES, "no"), None),
        (OSError(errno.ENOSPC, "full"), None),
        (caused(SourceError("wrong"), ValueError()), None),
        (None, None),
    ],
)
def test_which_faults_may_pass(error, fault):
    assert fault_of(error) == fault
