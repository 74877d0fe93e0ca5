"""The laws of gates that differ in little: between groups, on each slice, and made of other gates."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from platform_ml.gates import Advisory, AtLeast, AtMost
from platform_ml.metrics import RocAuc
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.evidence import REST, Compared, Evidence
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import beside, lapse_evaluation, numbers, spend_evaluation
from platform_ml.testing.gates import GateContract

if TYPE_CHECKING:
    from typing import Any, ClassVar

    from platform_ml.gates import AllOf, AnyOf
    from platform_ml.gates.parity import Parity
    from platform_ml.gates.slice_limit import SliceLimit
    from platform_ml.spec.evaluation import Evaluation, EvaluationResult
    from platform_ml.spec.gate import Gate

RANKS, CALIBRATES = AtLeast(metric="roc_auc", limit=0.7), AtMost(metric="log_loss", limit=0.6)


class ParityContract(GateContract):
    """What gates promise that compare a rate of one group with that of all others."""

    member: ClassVar[type[Parity]]
    measures: ClassVar[tuple[str, ...]]
    """The rates that it compares."""
    named: ClassVar[str]
    """What it is called for `country`."""

    def rate(self, value_of: str, value: float, *, at: int = 0, rows: int = 400, error: float = 0.02) -> Compared:
        """A rate of one country, against 0.5 of all others."""
        measure = self.measures[at]
        return beside(value_of, value, error=error, reference=0.5, measure=measure, rows=rows, against=REST)

    def seen(self, *values: float, **changes: Any) -> EvaluationResult:
        """Numbers of countries with these rates."""
        places = range(len(self.measures))
        compared = [self.rate(f"C{n}", value, at=at, **changes) for n, value in enumerate(values) for at in places]
        return numbers(evidence=Evidence(compared=tuple(compared), threshold=0.5))

    @pytest.fixture
    def gate(self) -> Gate:
        return self.member(column="country", difference=0.1)

    @pytest.fixture
    def evaluation(self) -> Evaluation:
        return replace(lapse_evaluation, threshold=0.5)

    @pytest.fixture
    def passing(self) -> EvaluationResult:
        return self.seen(0.55, 0.42)

    @pytest.fixture
    def failing(self) -> EvaluationResult:
        return self.seen(0.55, 0.7)

    @pytest.fixture
    def undefined(self) -> EvaluationResult:
        return self.seen(0.9, 0.1, rows=29)

    @pytest.fixture
    def foreign(self) -> Evaluation | None:
        return lapse_evaluation

    def test_too_low_is_as_bad_as_too_high(self, gate: Gate) -> None:
        verdict = gate.judge(self.seen(0.3))
        assert verdict.outcome is Outcome.FAILED
        assert verdict.value == pytest.approx(0.2)

    def test_a_ratio_is_of_the_lower_to_the_higher_rate(self) -> None:
        gate = self.member(column="country", ratio=0.8)
        outcomes = {value: gate.judge(self.seen(value)).outcome for value in (0.3, 0.45, 0.5, 0.6, 0.9)}
        assert [value for value, outcome in outcomes.items() if outcome is Outcome.FAILED] == [0.3, 0.9]
        verdict = gate.judge(self.seen(0.3))
        assert verdict.value == pytest.approx(0.6)
        assert (verdict.limit, verdict.rows) == (0.8, 400)
        assert verdict.low is not None
        assert verdict.high is not None
        assert verdict.low < 0.6 < verdict.high < 0.8
        assert verdict.parts[0].reason.startswith("0.300 [0.251, 0.349] against 0.500 [0.4")

    def test_others_too_few_to_compare_with_are_not_enough(self, gate: Gate) -> None:
        evidence = self.seen(0.9).evidence
        assert evidence is not None
        compared = tuple(replace(one, reference_rows=29) for one in evidence.compared)
        verdict = gate.judge(numbers(evidence=Evidence(compared=compared, threshold=0.5)))
        assert verdict.outcome is Outcome.NOT_ENOUGH_EVIDENCE

    def test_a_small_group_that_always_had_it_is_not_known_to(self) -> None:
        gate = self.member(column="country", difference=0.0)
        always = replace(self.rate("C0", 1.0, rows=30, error=0.0), reference=0.97, reference_variance=1e-5)
        verdict = gate.judge(numbers(evidence=Evidence(compared=(always,), threshold=0.5)))
        assert verdict.outcome is not Outcome.FAILED
        needed = verdict.parts[0].rows_needed
        assert needed is not None
        assert needed > 30
        many = replace(always, rows=3_000, entities=3_000)
        assert gate.judge(numbers(evidence=Evidence(compared=(many,), threshold=0.5))).outcome is Outcome.FAILED

    def test_name(self, gate: Gate) -> None:
        assert gate.name == self.named

    def test_only_a_binary_label_selects(self, gate: Gate) -> None:
        with pytest.raises(DeclarationError, match="binary label"):
            gate.check(spend_evaluation)

    def test_the_column_is_one_of_the_slices(self, evaluation: Evaluation) -> None:
        with pytest.raises(DeclarationError, match="Did you mean 'country'"):
            self.member(column="contry", ratio=0.8).check(evaluation)

    @pytest.mark.parametrize("limits", [{}, {"difference": 0.1, "ratio": 0.8}, {"difference": 1}, {"ratio": 1.25}])
    def test_one_limit_that_is_one(self, limits: dict[str, Any]) -> None:
        with pytest.raises(DeclarationError, match=f"{self.member.__name__} by 'country'"):
            self.member(column="country", **limits)


class SliceLimitContract(GateContract):
    """What gates promise that hold a metric of every slice to one limit."""

    member: ClassVar[type[SliceLimit]]
    metric: ClassVar[str]
    other_metric: ClassVar[str]
    """One for which more is better where it is not for `metric`."""
    limit: ClassVar[float]
    good: ClassVar[float]
    """A value within the limit."""
    bad: ClassVar[float]

    def country(self, value_of: str, value: float, **changes: Any) -> Compared:
        """The metric of one country."""
        return beside(value_of, value, measure=self.metric, **{"error": 0.01} | changes)

    def seen(self, *compared: Compared) -> EvaluationResult:
        """Numbers of these countries, beside one that is too small."""
        return numbers(evidence=Evidence(compared=(*compared, self.country("LI", self.bad, rows=29))))

    @pytest.fixture
    def gate(self) -> Gate:
        return self.member(metric=self.metric, limit=self.limit)

    @pytest.fixture
    def passing(self) -> EvaluationResult:
        return self.seen(self.country("AT", self.good))

    @pytest.fixture
    def failing(self) -> EvaluationResult:
        return self.seen(self.country("AT", self.good), self.country("CH", self.bad))

    @pytest.fixture
    def undefined(self) -> EvaluationResult:
        return self.seen(self.country("FR", math.nan))

    @pytest.fixture
    def foreign(self) -> Evaluation | None:
        metrics = (lapse_evaluation.metric(self.other_metric),)
        return replace(lapse_evaluation, metrics=metrics)

    def test_numbers_and_parts(self, gate: Gate, failing: EvaluationResult) -> None:
        verdict = gate.judge(failing)
        assert (verdict.value, verdict.limit, verdict.rows) == (self.bad, self.limit, 400)
        assert verdict.low == pytest.approx(self.bad - 1.9659 * 0.01, abs=1e-5)
        assert [part.gate for part in verdict.parts if not part.passed] == ["country = CH", "country = LI"]

    def test_no_more_than_chance_is_named_and_stops_nothing(self, gate: Gate) -> None:
        unsure = replace(self.country("CH", self.bad), variance=0.01)
        verdict = gate.judge(numbers(evidence=Evidence(compared=(self.country("AT", self.good), unsure))))
        assert verdict.passed
        assert "beyond it, but no more than chance explains: country = CH (about" in verdict.reason
        part = verdict.parts[1]
        assert part.outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert part.rows_needed is not None
        assert part.rows_needed > 400

    def test_without_slices_there_is_nothing_to_judge(self, gate: Gate) -> None:
        with pytest.raises(DeclarationError, match="no slices"):
            gate.check(replace(lapse_evaluation, slices=()))


class SeveralContract(GateContract):
    """What gates promise that are made of other gates: `RANKS` and `CALIBRATES`."""

    member: ClassVar[type[AllOf | AnyOf]]
    enough: ClassVar[int]
    """How many of two gates have to pass."""
    begins: ClassVar[str]
    """The first words of its rule."""

    @pytest.fixture
    def gate(self) -> Gate:
        return self.member(name="good_enough", gates=(RANKS, CALIBRATES))

    @pytest.fixture
    def foreign(self) -> Evaluation | None:
        return replace(lapse_evaluation, metrics=(RocAuc(),))

    def test_its_parts_are_the_verdicts_of_the_gates(self, gate: Gate, failing: EvaluationResult) -> None:
        verdict = gate.judge(failing)
        assert verdict.parts == (RANKS.judge(failing), CALIBRATES.judge(failing))
        assert verdict.limit == self.enough
        assert gate.rule.startswith(f"{self.begins}: On the test rows, roc_auc")

    def test_advice_cannot_decide(self) -> None:
        with pytest.raises(DeclarationError, match="only advises"):
            self.member(name="good_enough", gates=(Advisory(RANKS),))

    @pytest.mark.parametrize("gates", [(), (RANKS, RANKS)])
    def test_gates_are_there_once(self, gates: tuple[Gate, ...]) -> None:
        with pytest.raises(DeclarationError, match="good_enough"):
            self.member(name="good_enough", gates=gates)
