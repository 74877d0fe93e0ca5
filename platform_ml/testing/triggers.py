"""The laws of triggers: a member's test class inherits them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import TYPE_CHECKING, get_args

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import Estimate
from platform_ml.spec.naming import check_name
from platform_ml.spec.reason import Reason
from platform_ml.spec.trigger import Performance, Reads, State
from platform_ml.testing.declarations import lapse_evaluation

if TYPE_CHECKING:
    from typing import Any

    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.trigger import Trigger

THEN = Estimate(value=0.80, low=0.78, high=0.82)


def state(
    *,
    new_rows: int = 0,
    new_days: int = 0,
    now: Estimate = THEN,
    drift: dict[str, tuple[float, float]] | None = None,
) -> State:
    """A model of June 3, in use, and a week more since; nothing has changed but what is named."""
    return State(
        trained="2024-06-03",
        newest="2024-06-10",
        new_rows=new_rows,
        new_days=new_days,
        in_use="lapse@1",
        known_rows=400,
        performance={"roc_auc": Performance(title="ROC AUC", goal="maximize", then=THEN, now=now)},
        drift={"days_since_last_28d": (0.01, 0.05), "amount_sum_28d": (0.02, 0.05)} if drift is None else drift,
    )


class TriggerContract:
    """What every trigger promises; the fixtures are states that it has to tell apart."""

    @pytest.fixture
    def trigger(self) -> Trigger:
        """The member under test, fit for `lapse_evaluation`."""
        raise NotImplementedError

    @pytest.fixture
    def firing(self) -> State:
        """It is time."""
        raise NotImplementedError

    @pytest.fixture
    def waiting(self) -> State:
        """It is not time yet."""
        return state()

    @pytest.fixture
    def numbers(self) -> tuple[str, ...]:
        """What its sentence on the firing state has to hold."""
        raise NotImplementedError

    @pytest.fixture
    def foreign(self) -> Evaluation | None:
        """An evaluation that does not have what it needs; None: every one has."""
        return None

    def test_says_what_it_is(self, trigger: Trigger) -> None:
        check_name("Trigger", trigger.name)
        assert trigger.rule.endswith(".")
        assert trigger.reason in set(Reason) - {Reason.MANUAL}
        assert trigger.reads in get_args(Reads)

    def test_cannot_be_changed(self, trigger: Any) -> None:
        with pytest.raises(FrozenInstanceError):
            setattr(trigger, fields(trigger)[0].name, None)

    def test_fires_and_says_why(self, trigger: Trigger, firing: State, numbers: tuple[str, ...]) -> None:
        answer = trigger.judge(firing)
        assert answer.fired
        assert [number for number in numbers if number not in answer.says] == []

    def test_waits_and_says_how_far_it_is(self, trigger: Trigger, waiting: State) -> None:
        answer = trigger.judge(waiting)
        assert not answer.fired
        assert answer.says

    def test_of_nothing_known_it_never_fires(self, trigger: Trigger) -> None:
        answer = trigger.judge(State())
        assert not answer.fired
        assert answer.says

    def test_judging_again_says_the_same(self, trigger: Trigger, firing: State) -> None:
        assert trigger.judge(firing) == trigger.judge(firing)

    def test_fits_its_evaluation(self, trigger: Trigger, foreign: Evaluation | None) -> None:
        trigger.check(lapse_evaluation)
        if foreign is not None:
            with pytest.raises(DeclarationError, match="has no"):
                trigger.check(foreign)
