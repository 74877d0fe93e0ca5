import errno
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from platform_ml.adapters.delta import DeltaTables
from platform_ml.engine.retry import patiently
from platform_ml.engine.source import materialize_source
from platform_ml.spec.errors import SourceError, StoreError
from platform_ml.spec.retry import Retry, TransientError
from platform_ml_tests.engine.shop import invented, orders, rows_of, stamp, table, work_in, write

RETRY = Retry(attempts=4, first=timedelta(seconds=2), jitter=0)
KEY = "2024-02-01"


@pytest.fixture
def waits():
    return []


@pytest.fixture
def said():
    return []


@pytest.fixture
def work(tmp_path, waits, said):
    plain = work_in(tmp_path, say=said.append)
    return replace(plain, platform=replace(plain.platform, pause=waits.append, retry=RETRY))


def failing(times, error):
    """Works after so many failures."""
    left = [error] * times

    def act():
        if left:
            raise left.pop()
        return "done"

    return act


def test_what_passes_is_tried_again_and_said(work, waits, said):
    assert patiently(failing(2, TransientError("It is busy.", "conflict")), "a read", retry=RETRY, work=work) == "done"
    assert waits == [2, 4]
    assert said == [
        "a read: attempt 1 of 4 failed (conflict): It is busy. Trying again in 2.0 s.",
        "a read: attempt 2 of 4 failed (conflict): It is busy. Trying again in 4.0 s.",
    ]


def test_the_last_error_says_how_often_it_was_tried(work, waits):
    with pytest.raises(SourceError, match=r"^It is busy\. It was tried 4 times\.$"):
        patiently(failing(9, TransientError("It is busy.", "conflict")), "a read", retry=RETRY, work=work)
    assert waits == [2, 4, 8]


@pytest.mark.parametrize(
    "error",
    [
        SourceError("It is wrong."),
        TransientError("Not declared.", "timeout"),
        FileNotFoundError(errno.ENOENT, "gone"),
        ZeroDivisionError(),
    ],
)
def test_what_is_final_or_not_declared_is_not_tried_again(work, waits, said, error):
    once = replace(RETRY, on=("conflict", "io"))
    with pytest.raises(type(error)) as raised:
        patiently(failing(1, error), "a read", retry=once, work=work)
    assert raised.value is error
    assert waits == said == []


def test_once_is_once(work, waits):
    with pytest.raises(SourceError, match=r"^Busy\.$"):
        patiently(failing(1, TransientError("Busy.", "io")), "a read", retry=Retry(attempts=1), work=work)
    assert waits == []


@dataclass(frozen=True)
class FlakyDisk(DeltaTables):
    """Tables on a disk that fails some of the times that something is committed."""

    faults: tuple[int, ...] = ()

    def commit(self, table, partitions, stamp):
        if self.faults and (number := self.faults[0]):
            object.__setattr__(self, "faults", self.faults[1:])
            raise StoreError(f"{table}: cannot write.") from OSError(number, "failed")
        return super().commit(table, partitions, stamp)


def delivered(work, *faults):
    write(work, orders, KEY, table([order for order in invented() if str(order.day) == KEY]))
    tables = FlakyDisk(work.platform.tables.root, faults=faults)
    return replace(work, platform=replace(work.platform, tables=tables))


def test_a_commit_is_tried_again_when_the_disk_fails(work, waits, said):
    flaky = delivered(work, errno.EIO, errno.ESTALE)
    materialize_source(orders, [KEY], work=flaky, stamp=stamp())
    assert len(rows_of(work, orders, [KEY])) > 0
    assert waits == [2, 4]
    assert (
        said[0]
        == "commit to shop/orders: attempt 1 of 4 failed (io): shop/orders: cannot write. Trying again in 2.0 s."
    )


def test_a_full_disk_is_not_tried_again(work, waits):
    flaky = delivered(work, errno.ENOSPC)
    with pytest.raises(StoreError, match=r"^shop/orders: cannot write\.$"):
        materialize_source(orders, [KEY], work=flaky, stamp=stamp())
    assert waits == []


def test_a_commit_that_never_works_keeps_its_kind_of_error(work):
    flaky = delivered(work, *[errno.EIO] * 9)
    with pytest.raises(StoreError, match=r"cannot write\. It was tried 4 times\."):
        materialize_source(orders, [KEY], work=flaky, stamp=stamp())
    assert work.platform.tables.snapshot("shop/orders") is None
