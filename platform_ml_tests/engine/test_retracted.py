import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platform_ml.engine import pairs as pair_blocks
from platform_ml.engine.point_in_time import Side, join
from platform_ml.spec.history import History, Mutations, PerRow, ValidTime
from platform_ml_tests.engine.joins import ask, group, rows, spine

LIVES = group(
    history=History(event_time="at", sequence="seq", known=Mutations(known_from="written_at", known_to="over_at"))
)
small = st.integers(0, 7)
life = st.tuples(st.integers(0, 2), small, st.none() | small, st.none() | small)
"""(key, event time, known from, known to)"""


def table(lives):
    ids, times, starts, ends = (list(column) for column in zip(*lives, strict=True)) if lives else ([], [], [], [])
    numbers = range(len(lives))
    return rows(
        id=ids, event_time=times, written_at=starts, over_at=ends, seq=[*numbers], x=[float(n) for n in numbers]
    )


def truth(lives, who, moment):
    """In plain Python: the newest row that was the truth at the moment."""
    there = [
        (time, float(n))
        for n, (key, time, start, end) in enumerate(lives)
        if key == who and time <= moment and (start is None or start <= moment) and (end is None or moment < end)
    ]
    return max(there)[1] if there else None


@pytest.mark.parametrize("pairs", [1, 3, 1 << 22])
@settings(max_examples=80, deadline=None)
@given(lives=st.lists(life, max_size=15))
def test_the_newest_row_that_was_the_truth_then(pairs, lives):
    asked = [(who, moment) for who in range(4) for moment in range(-1, 9)]
    label_rows = spine(id=[who for who, _ in asked], event_time=[moment for _, moment in asked])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair_blocks, "PAIRS", pairs)
        for mode in (PerRow(), ValidTime()):
            assert ask(label_rows, table(lives), LIVES, knowledge=mode)["x"] == [truth(lives, *pair) for pair in asked]


def test_a_row_that_was_replaced_speaks_until_then():
    lives = [(1, 0, None, 5), (1, 0, 5, None), (1, 3, 4, 4), (1, 2, 6, 7)]
    label_rows = spine(id=[1] * 9, event_time=[*range(9)])
    found = ask(label_rows, table(lives), LIVES, knowledge=PerRow())
    assert found["x"] == [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 3.0, 1.0, 1.0]


def test_keys_that_come_after_all_rows():
    year, count = 31_536_000_000_000, 400_000
    there = rows(id=[0, 0], event_time=[0, year], written_at=[0, year], over_at=[5, 2 * year], seq=[0, 1], x=[1.0, 2.0])
    label_rows = spine(id=[*range(count)], event_time=[year] * count)
    found = join(label_rows, [Side(selection=LIVES.select("x"), rows=there)], knowledge=PerRow())["x"]
    assert found[0].as_py() == 2.0
    assert found.null_count == count - 1
    assert np.all(np.isnan(found.to_numpy()[1:]))
