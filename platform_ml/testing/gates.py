"""The laws of gates: a member's test class inherits them."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields
from typing import TYPE_CHECKING

import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evaluation import EvaluationResult
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.gate import Outcome, is_advisory
from platform_ml.spec.naming import check_name
from platform_ml.testing.declarations import lapse_evaluation, spend_evaluation

if TYPE_CHECKING:
    from typing import Any

    from platform_ml.spec.evaluation import Evaluation
    from platform_ml.spec.gate import Gate


class GateContract:
    """What every gate promises; the fixtures are numbers of `evaluation` that it has to tell apart."""

    @pytest.fixture
    def evaluation(self) -> Evaluation:
        """What the gate is fit for."""
        return lapse_evaluation

    @pytest.fixture
    def gate(self) -> Gate:
        """The member under test, fit for `lapse_evaluation`."""
        raise NotImplementedError

    @pytest.fixture
    def passing(self) -> EvaluationResult:
        """Numbers that are good enough."""
        raise NotImplementedError

    @pytest.fixture
    def failing(self) -> EvaluationResult:
        """Numbers that are not."""
        raise NotImplementedError

    @pytest.fixture
    def undefined(self) -> EvaluationResult:
        """Numbers of which those that it needs are not defined."""
        raise NotImplementedError

    @pytest.fixture
    def foreign(self) -> Evaluation | None:
        """An evaluation that does not have what it needs; None: every one has."""
        return None

    def test_says_what_it_is(self, gate: Gate) -> None:
        check_name("Gate", gate.name)
        assert gate.rule.endswith(".")
        assert fingerprint(gate) == fingerprint(gate)

    def test_cannot_be_changed(self, gate: Any) -> None:
        with pytest.raises(FrozenInstanceError):
            setattr(gate, fields(gate)[0].name, None)

    def test_fits_its_evaluation(self, gate: Gate, evaluation: Evaluation) -> None:
        gate.check(evaluation)

    def test_refuses_an_evaluation_without_its_numbers(self, gate: Gate, foreign: Evaluation | None) -> None:
        if foreign is None:
            gate.check(spend_evaluation)
            return
        with pytest.raises(DeclarationError):
            gate.check(foreign)

    def test_says_its_numbers_not_only_in_words(
        self, gate: Gate, passing: EvaluationResult, failing: EvaluationResult
    ) -> None:
        for verdict in (gate.judge(passing), gate.judge(failing)):
            assert {"value", "limit"} <= verdict.numbers.keys()
            json.dumps(verdict.numbers, allow_nan=False)

    def test_binds_nothing_and_waives_nothing_by_itself(self, gate: Gate, failing: EvaluationResult) -> None:
        verdict = gate.judge(failing)
        assert verdict.bound_to is None
        assert verdict.waiver is None
        assert verdict.advisory == is_advisory(gate)

    def test_passes(self, gate: Gate, passing: EvaluationResult) -> None:
        verdict = gate.judge(passing)
        assert verdict.passed, verdict
        assert verdict.gate == gate.name
        assert verdict.reason.endswith(".")

    def test_fails_with_advice(self, gate: Gate, failing: EvaluationResult) -> None:
        verdict = gate.judge(failing)
        assert verdict.outcome is Outcome.FAILED, verdict
        assert verdict.stops is not is_advisory(gate)
        assert verdict.reason.endswith(".")
        assert verdict.advice.endswith(".")

    def test_undefined_numbers_do_not_pass(self, gate: Gate, undefined: EvaluationResult) -> None:
        verdict = gate.judge(undefined)
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE, verdict
        assert not verdict.passed
        assert verdict.advice.endswith(".")

    def test_numbers_from_a_file_are_judged_alike(
        self, gate: Gate, passing: EvaluationResult, failing: EvaluationResult, undefined: EvaluationResult
    ) -> None:
        for numbers in (passing, failing, undefined):
            text = json.dumps(numbers.to_json(), sort_keys=True)
            assert gate.judge(EvaluationResult.from_json(json.loads(text))) == gate.judge(numbers)
