"""The laws of rules that stop trials: a member's test class inherits them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.tuner import TriedParams

if TYPE_CHECKING:
    from platform_ml.spec.tuner import Pruner

LENGTH = 100


class PrunerContract:
    """What every rule that stops trials promises."""

    @pytest.fixture
    def pruner(self) -> Pruner:
        """The member under test, at work within 100 reports."""
        raise NotImplementedError

    def test_the_first_trial_is_not_stopped(self, pruner: Pruner) -> None:
        assert not any(pruner.floors(()).stop([0.0] * steps) for steps in range(2 * LENGTH))

    def test_a_trial_that_leads_is_not_stopped(self, pruner: Pruner) -> None:
        floors = pruner.floors(curves(20))
        assert not any(floors.stop([99.0] * steps) for steps in range(2 * LENGTH))

    def test_a_trial_that_lags_is(self, pruner: Pruner) -> None:
        floors = pruner.floors(curves(20))
        assert any(floors.stop([-99.0] * steps) for steps in range(2 * LENGTH))

    def test_equals_are_not_stopped(self, pruner: Pruner) -> None:
        same = [curve(number, 0.5) for number in range(20)]
        assert not any(pruner.floors(same).stop(same[0].steps[:steps]) for steps in range(LENGTH + 1))

    def test_it_is_a_function_of_the_trials_before(self, pruner: Pruner) -> None:
        assert pruner.floors(curves(20)) == pruner.floors(curves(20))
        assert fingerprint(pruner) == fingerprint(pruner)


def curves(count: int) -> list[TriedParams]:
    """Finished trials, each better than the one before at every step."""
    return [curve(number, number / count) for number in range(count)]


def curve(number: int, level: float) -> TriedParams:
    """A trial that rises towards its level."""
    steps = tuple(level - 1 / (step + 1) for step in range(LENGTH))
    return TriedParams(number=number, params={}, score=steps[-1], steps=steps, seconds=0.0)
