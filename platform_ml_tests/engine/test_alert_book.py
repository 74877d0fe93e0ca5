"""What is written down outlives the process: nothing is lost on the way, and sent twice only where nobody can know."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from platform_ml.engine import alert_book
from platform_ml.engine.alert_book import AlertBook, Waiting
from platform_ml.spec.alert import Severity
from platform_ml.spec.errors import StoreError, UnreachableError
from platform_ml_tests.engine.test_alerts import RIGHT, START, VOLUME


@dataclass
class Box:
    """A sink in memory, which may be down, or die after it took a message."""

    name: str = "box"
    level: Severity = Severity.INFO
    error: Exception | None = None
    dies: bool = False
    taken: list = field(default_factory=list)

    def send(self, alert, number):
        if self.error:
            raise self.error
        self.taken.append((number, alert.what))
        if self.dies:
            raise KeyboardInterrupt

    @property
    def heads(self):
        return [what for _, what in self.taken]


@pytest.fixture
def book(tmp_path):
    return AlertBook(file=tmp_path / "alerts" / "alerts.db")


def fail(book, box, asset="orders", minutes=0, **changed):
    with book.looking([box], now=START + timedelta(minutes=minutes)) as entry:
        entry.see(replace(VOLUME, asset=asset, **changed))


def test_a_new_process_goes_on_where_the_last_one_was(book):
    box = Box()
    fail(book, box)
    again = AlertBook(file=book.file)
    fail(again, box, minutes=5)
    assert again.send([box]) == {"box": 1}
    (problem,) = again.problems()
    assert problem.count == 1
    with again.looking([box], now=START + timedelta(hours=1)) as entry:
        assert entry.cursor("runs") is None
        entry.move("runs", 7)
        entry.clear(RIGHT)
    book.send([box])
    assert box.heads == ["Check failed: shop/orders, mon", "Resolved, check failed: shop/orders, mon"]
    assert book.problems() == []
    with book.looking([box]) as entry:
        assert entry.cursor("runs") == 7


def test_a_look_that_breaks_off_leaves_nothing_behind(book):
    box = Box()

    def breaks():
        with book.looking([box]) as entry:
            entry.see(VOLUME)
            entry.move("runs", 7)
            assert entry.first_time("run 1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks()
    with book.looking([box]) as entry:
        assert entry.cursor("runs") is None
        assert entry.first_time("run 1")
        assert not entry.first_time("run 1")
    assert book.send([box]) == {"box": 0}


def test_a_lost_sink_gets_everything_in_order_once_it_is_back_and_holds_up_no_other(book):
    lost, there = Box(name="lost", error=UnreachableError("Nobody is there.")), Box(name="there")
    for n, asset in enumerate(("a", "b", "c")):
        with book.looking([lost, there], now=START + timedelta(minutes=n)) as entry:
            entry.see(replace(VOLUME, asset=asset))
        assert book.send([lost, there]) == {"lost": 0, "there": 1}
    assert book.waiting() == {"lost": Waiting(messages=3, lost=0, fault="Nobody is there.")}
    lost.error = None
    assert book.send([lost, there]) == {"lost": 3, "there": 0}
    assert lost.heads == there.heads == [f"Check failed: shop/{asset}, mon" for asset in "abc"]
    assert book.waiting() == {}


def test_who_dies_after_sending_sends_that_one_again_under_the_same_number(book):
    box = Box(dies=True)
    fail(book, box, "a")
    fail(book, box, "b")
    with pytest.raises(KeyboardInterrupt):
        book.send([box])
    box.dies = False
    assert book.send([box]) == {"box": 2}
    assert [number for number, _ in box.taken] == ["1", "1", "2"]


def test_a_message_that_is_refused_for_good_is_counted_and_holds_up_no_other(book):
    box = Box(error=StoreError("Too long."))
    fail(book, box)
    assert book.send([box]) == {"box": 1}
    assert book.waiting() == {"box": Waiting(messages=0, lost=1, fault="Too long.")}


def test_the_outbox_is_bounded_and_the_oldest_makes_room(book, monkeypatch):
    monkeypatch.setattr(alert_book, "MOST", 2)
    box = Box()
    for asset in "abc":
        fail(book, box, asset)
    assert book.waiting()["box"] == Waiting(messages=2, lost=1, fault="")
    book.send([box])
    assert box.heads == ["Check failed: shop/b, mon", "Check failed: shop/c, mon"]


def test_a_sink_gets_what_matters_enough_and_hears_of_its_end(book):
    box = Box(level=Severity.ERROR)
    fail(book, box)
    fail(book, box, "b", severity=Severity.WARNING)
    with book.looking([box], now=START + timedelta(hours=1)) as entry:
        for asset in ("orders", "b"):
            entry.clear(replace(RIGHT, asset=asset))
    book.send([box])
    assert box.heads == ["Check failed: shop/orders, mon", "Resolved, check failed: shop/orders, mon"]


def test_no_two_processes_send_at_once(book):
    box = Box()
    fail(book, box)
    with book._alone() as alone:
        assert alone
        assert AlertBook(file=book.file).send([box]) == {}
    assert book.send([box]) == {"box": 1}


def test_what_was_not_seen_for_a_month_is_forgotten(book):
    fail(book, Box())
    with book.looking([], now=START + timedelta(days=31)):
        pass
    assert book.problems() == []


def test_a_file_that_is_none_is_said(book):
    book.file.parent.mkdir()
    book.file.write_text("no database, but long enough to be looked at as one")
    with pytest.raises(StoreError, match=r"alerts\.db cannot be read or written \(file is not a database\)"):
        book.problems()


def test_the_worst_is_shown_first(book):
    fail(book, Box(), "mild", severity=Severity.WARNING)
    fail(book, Box(), "bad", minutes=1)
    assert [one.newest.asset for one in book.problems()] == ["bad", "mild"]
    with closing(sqlite3.connect(book.file)) as connection:
        assert connection.execute("SELECT count(*) FROM problems").fetchone() == (2,)
