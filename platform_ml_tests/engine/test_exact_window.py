from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_ml.aggregations import Count, Last, Maximum, Mean, Total
from platform_ml.engine import pairs as pair_blocks
from platform_ml.features import Windowed
from platform_ml.spec.history import History, Mutations, PerRow
from platform_ml_tests.engine.joins import ask, group, rows, spine

MICROSECOND = timedelta(microseconds=1)
small = st.integers(0, 9)
event = st.tuples(st.integers(0, 2), small, st.none() | small, st.none() | small)
"""(key, event time, value, when it was written)"""


def over(window, *hows, **more):
    length = None if window is None else window * MICROSECOND
    return tuple(Windowed(how=how, window=length, **more) for how in hows)


def table(events):
    ids, times, values, written = (list(c) for c in zip(*events, strict=True)) if events else ([], [], [], [])
    return rows(id=ids, event_time=times, n=values, written_at=written)


@pytest.mark.parametrize("pairs", [1, 4, 1 << 22])
@settings(max_examples=60, deadline=None)
@given(events=st.lists(event, max_size=15), length=st.none() | st.integers(1, 6), hop=st.none() | st.integers(1, 4))
def test_windows_of_what_was_known(pairs, events, length, hop):
    of = group(
        *over(length, Count(), Total(of="n"), tail_hop=hop and hop * MICROSECOND),
        history=History(event_time="at", created="written_at", ties="last"),
    )
    asked = [(who, moment) for who in range(3) for moment in range(-1, 12)]
    label_rows = spine(id=[who for who, _ in asked], event_time=[moment for _, moment in asked])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair_blocks, "PAIRS", pairs)
        found = list(ask(label_rows, table(events), of, knowledge=PerRow()).values())
    for n, (who, moment) in enumerate(asked):
        begin = -99 if length is None else (moment - length) // (hop or 1) * (hop or 1)
        seen = [v for key, at, v, w in events if key == who and begin <= at < moment and w is not None and w <= moment]
        known = [value for value in seen if value is not None]
        assert (found[0][n], found[1][n]) == (len(seen), float(sum(known)) if known else None)


def test_a_delay_moves_the_whole_window():
    of = group(*over(2, Count()), history=History(event_time="at", delay=3 * MICROSECOND))
    there = rows(id=[1] * 5, event_time=[0, 1, 2, 3, 4])
    assert ask(spine(id=[1] * 4, event_time=[3, 4, 5, 6]), there, of) == {"count_2us": [0, 1, 2, 2]}


def test_the_bound_of_the_newest_row_is_not_that_of_windows():
    there = rows(id=[1, 1], event_time=[4, 5])
    for bound in ("<=", "<"):
        of = group(*over(1, Count(), edges="[]"), history=History(event_time="at", bound=bound))
        assert ask(spine(id=[1], event_time=[5]), there, of) == {"count_1us": [2]}


def test_events_that_were_taken_back_are_not_seen():
    of = group(
        *over(None, Count(), Last(of="n")),
        history=History(event_time="at", known=Mutations(known_from="written_at", known_to="over_at")),
    )
    there = rows(id=[1, 1], event_time=[0, 1], n=[10, 11], written_at=[None, 2], over_at=[None, 5])
    found = ask(spine(id=[1] * 4, event_time=[1, 2, 4, 5]), there, of, knowledge=PerRow())
    assert found == {"count_ever": [1, 2, 2, 1], "n_last_ever": [10, 11, 11, 10]}


def test_keys_beyond_those_of_the_events_find_none_of_them():
    year, count = 31_536_000_000_000, 700_000
    there = rows(id=[*range(10)], event_time=[year * n // 10 for n in range(10)])
    label_rows = spine(id=[*range(count)], event_time=[year] * count)
    (found,) = ask(label_rows, there, group(*over(year // 2, Count()))).values()
    assert found[:10] == [0] * 5 + [1] * 5
    assert set(found[10:]) == {0}


def test_nothing_known_in_some_blocks_and_something_in_others(monkeypatch):
    monkeypatch.setattr(pair_blocks, "PAIRS", 1)
    there = rows(id=[1, 2], event_time=[0, 0], name=[None, "a"], n=[None, 3])
    of = group(*over(None, Last(of="name"), Mean(of="n"), Maximum(of="n")))
    assert ask(spine(id=[1, 2, 3], event_time=[1, 1, 1]), there, of) == {
        "name_last_ever": [None, "a", None],
        "n_mean_ever": [None, 3.0, None],
        "n_max_ever": [None, 3, None],
    }
