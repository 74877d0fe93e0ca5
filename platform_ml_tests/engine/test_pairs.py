import numpy as np
import pytest

from platform_ml.engine import pairs


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
def test_every_pair_comes_once_and_in_order(at_once, monkeypatch):
    monkeypatch.setattr(pairs, "PAIRS", at_once)
    first, last = np.array([5, 0, 2, 7, 3]), np.array([5, 4, 3, 7, 6])
    found = [
        (some.start + int(row), int(place))
        for some, rows, places in pairs.paired(first, last)
        for row, place in zip(rows, places, strict=True)
    ]
    assert found == [(1, 0), (1, 1), (1, 2), (1, 3), (2, 2), (4, 3), (4, 4), (4, 5)]


def test_no_more_than_fit_unless_one_row_has_more(monkeypatch):
    monkeypatch.setattr(pairs, "PAIRS", 3)
    first, last = np.zeros(4, int), np.array([2, 1, 9, 1])
    assert [(some.start, some.stop, len(rows)) for some, rows, _ in pairs.paired(first, last)] == [
        (0, 2, 3),
        (2, 3, 9),
        (3, 4, 1),
    ]
    assert list(pairs.paired(first[:0], last[:0])) == []
