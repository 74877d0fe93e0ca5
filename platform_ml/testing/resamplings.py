"""The laws of resamplings: a member's test class inherits them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.naming import check_name
from platform_ml.spec.task import BINARY, REGRESSION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from platform_ml.spec.resampling import Resampling

RARE: NDArray[np.float64] = (np.arange(1_000) % 10 == 0).astype(np.float64)
"""A tenth of ones."""


class ResamplingContract:
    """What every resampling promises."""

    @pytest.fixture
    def resampling(self) -> Resampling:
        """The member under test, with its usual values."""
        raise NotImplementedError

    def test_says_what_it_is(self, resampling: Resampling) -> None:
        check_name("Resampling", resampling.name)
        assert resampling.rule.endswith(".")
        assert BINARY in resampling.tasks
        assert REGRESSION not in resampling.tasks
        assert fingerprint(resampling) == fingerprint(resampling)

    def test_cannot_be_changed(self, resampling: Any) -> None:
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            resampling.anything = 1

    def test_classes_become_equal_and_none_is_lost(self, resampling: Resampling) -> None:
        three: NDArray[np.float64] = np.where(np.arange(1_000) % 3 == 0, 2.0, RARE).astype(np.float64)
        labels: list[NDArray[np.float64]] = [RARE, 1 - RARE, three]
        for label in labels:
            _, counts = np.unique(label[resampling.rows(label, seed=1)], return_counts=True)
            assert len(counts) == len(np.unique(label))
            assert len(set(counts.tolist())) == 1

    def test_places_are_of_rows_and_in_order(self, resampling: Resampling) -> None:
        places = resampling.rows(RARE, seed=1)
        assert places.dtype == np.int64
        assert (np.diff(places) >= 0).all()
        assert places.min() >= 0
        assert places.max() < len(RARE)

    def test_every_row_of_the_rare_class_is_there(self, resampling: Resampling) -> None:
        assert set(np.flatnonzero(RARE)) <= set(resampling.rows(RARE, seed=1))

    def test_the_seed_decides(self, resampling: Resampling) -> None:
        first, again, other = (resampling.rows(RARE, seed=seed).tolist() for seed in (1, 1, 2))
        assert first == again
        assert first != other

    def test_equal_classes_stay_as_they_are(self, resampling: Resampling) -> None:
        label = (np.arange(100) % 2).astype(np.float64)
        assert resampling.rows(label, seed=1).tolist() == list(range(100))

    def test_no_rows_are_no_rows(self, resampling: Resampling) -> None:
        assert resampling.rows(np.empty(0), seed=1).tolist() == []
