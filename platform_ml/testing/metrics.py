"""The laws of metrics: a member's test class inherits them."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from platform_ml.spec.errors import PlatformError
from platform_ml.spec.task import BINARY, MULTICLASS, RANKING, REGRESSION, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from platform_ml.spec.metric import Metric

    Numbers = NDArray[np.float64]

ROWS = 60
CLOSE = 1e-12


class MetricContract:
    """What every metric of a binary label promises; `reference` computes it in another way."""

    task: ClassVar[Task] = BINARY
    needs_both_classes: ClassVar[bool] = True

    @pytest.fixture
    def metric(self) -> Metric:
        """The member under test."""
        raise NotImplementedError

    def worst(self, truth: Numbers) -> Numbers:
        """What nobody would predict."""
        return 1 - truth

    def reference(self, truth: Numbers, prediction: Numbers, weights: Numbers) -> float:
        """An independent implementation, with weights per row."""
        raise NotImplementedError

    @pytest.fixture(params=[(seed, ties) for seed in range(4) for ties in (False, True)], ids=str)
    def rows(self, request: pytest.FixtureRequest) -> tuple[Numbers, Numbers]:
        """Truth and probability of some rows: without equal probabilities, and with few different ones, 0 and 1 too."""
        seed, ties = request.param
        truth, prediction = self.invented(seed, ROWS)
        return truth, np.round(prediction * 4) / 4 if ties else prediction

    def invented(self, seed: int, rows: int) -> tuple[Numbers, Numbers]:
        """Truth and prediction of some rows."""
        draw = np.random.default_rng(seed)
        truth = (draw.random(rows) < 0.3).astype(np.float64)
        return truth, np.clip(truth * 0.3 + draw.random(rows) * 0.7, 0, 1)

    def test_says_what_it_is(self, metric: Metric) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name)
        assert metric.title
        assert metric.goal in {"maximize", "minimize"}
        assert metric.task is self.task
        assert hash(metric) == hash(replace(metric))  # type: ignore[type-var]
        says_what_it_means(metric)

    def test_agrees_with_an_independent_implementation(self, metric: Metric, rows: tuple[Numbers, Numbers]) -> None:
        assert metric.score(*rows) == pytest.approx(self.reference(*rows, np.ones(ROWS)), abs=CLOSE)

    def test_weights_agree_with_an_independent_implementation(
        self, metric: Metric, rows: tuple[Numbers, Numbers]
    ) -> None:
        weights = _draws(20, ROWS)
        expected = [self.reference(*rows, drawn) for drawn in weights]
        assert metric.resample(*rows, weights) == pytest.approx(expected, abs=CLOSE)

    def test_weights_of_one_are_the_score(self, metric: Metric, rows: tuple[Numbers, Numbers]) -> None:
        expected = [metric.score(*rows)] * 3
        assert metric.resample(*rows, np.ones((3, ROWS))).tolist() == expected

    def test_a_weight_is_a_repeated_row(self, metric: Metric, rows: tuple[Numbers, Numbers]) -> None:
        truth, prediction = rows
        weights = _draws(5, ROWS)
        repeated = [np.repeat(np.arange(ROWS), drawn.astype(np.int64)) for drawn in weights]
        expected = [metric.score(truth[again], prediction[again]) for again in repeated]
        assert metric.resample(truth, prediction, weights) == pytest.approx(expected, abs=CLOSE)

    def test_row_order_does_not_matter(self, metric: Metric, rows: tuple[Numbers, Numbers]) -> None:
        truth, prediction = rows
        other = np.random.default_rng(1).permutation(ROWS)
        assert metric.score(truth[other], prediction[other]) == pytest.approx(metric.score(*rows), abs=CLOSE)

    def test_the_rows_are_left_as_they_were(self, metric: Metric, rows: tuple[Numbers, Numbers]) -> None:
        weights = _draws(3, ROWS)
        before = [array.copy() for array in (*rows, weights)]
        metric.resample(*rows, weights)
        assert all(np.array_equal(*pair) for pair in zip(before, (*rows, weights), strict=True))

    def test_many_resamples_are_each_one_of_them(self, metric: Metric) -> None:
        truth, prediction = self.invented(7, 3_000)
        weights = _draws(200, 3_000)
        one_by_one = [metric.resample(truth, prediction, drawn[None])[0] for drawn in weights]
        assert metric.resample(truth, prediction, weights).tolist() == one_by_one

    def test_nothing_is_better_than_the_truth(self, metric: Metric, rows: tuple[Numbers, Numbers]) -> None:
        truth, prediction = rows
        perfect, other, worst = (metric.score(truth, given) for given in (truth, prediction, self.worst(truth)))
        sign = 1 if metric.goal == "maximize" else -1
        assert sign * perfect >= sign * other >= sign * worst
        assert perfect != worst

    def test_no_rows_are_undefined(self, metric: Metric) -> None:
        nothing = np.empty(0)  # of classes too: without rows nobody asks for their number
        assert math.isnan(metric.score(nothing, nothing))
        assert np.isnan(metric.resample(nothing, nothing, np.empty((2, 0)))).all()

    def test_no_drawn_rows_are_undefined(self, metric: Metric, rows: tuple[Numbers, Numbers]) -> None:
        scores = metric.resample(*rows, np.stack([np.zeros(ROWS), np.ones(ROWS)]))
        assert np.isnan(scores).tolist() == [True, False]

    @pytest.mark.parametrize("broken", [math.nan, math.inf])
    def test_a_broken_prediction_is_undefined(
        self, metric: Metric, rows: tuple[Numbers, Numbers], broken: float
    ) -> None:
        truth, prediction = rows[0], rows[1].copy()
        prediction[3] = broken
        assert math.isnan(metric.score(truth, prediction))

    @pytest.mark.parametrize("only", [0.0, 1.0])
    def test_one_class(self, metric: Metric, rows: tuple[Numbers, Numbers], only: float) -> None:
        truth = np.full(ROWS, only)
        score = metric.score(truth, rows[1])
        if self.needs_both_classes:
            assert math.isnan(score)
        else:
            assert score == pytest.approx(self.reference(truth, rows[1], np.ones(ROWS)), abs=CLOSE)


class RegressionMetricContract(MetricContract):
    """The same of a label of numbers; `needs_both_classes` is that they differ."""

    task: ClassVar[Task] = REGRESSION
    needs_both_classes: ClassVar[bool] = False
    of_three_said_to_be_five: ClassVar[float] = 2
    """What is said of one row whose label is 3 and whose prediction is 5."""

    def worst(self, truth: Numbers) -> Numbers:
        """What nobody would predict."""
        return -10 - 10 * truth

    @pytest.fixture(params=[(seed, ties) for seed in range(4) for ties in (False, True)], ids=str)
    def rows(self, request: pytest.FixtureRequest) -> tuple[Numbers, Numbers]:
        """Truth and prediction of some rows: few different ones and zeros, too; one of them is far from the others."""
        seed, ties = request.param
        draw = np.random.default_rng(seed)
        truth: Numbers = np.maximum(0.0, draw.normal(1, 2, ROWS))
        truth[7] = 40.0
        prediction: Numbers = truth + draw.normal(0.2, 1, ROWS)
        if ties:
            truth, prediction = np.round(truth), np.round(prediction)
        return truth, prediction

    def test_the_unit_does_not_change_what_is_better(self, metric: Metric, rows: tuple[Numbers, Numbers]) -> None:
        truth, prediction = rows
        sign = 1 if metric.goal == "maximize" else -1
        for unit in (1.0, 100.0):
            better, poorer = (metric.score(unit * truth, unit * given) for given in (prediction, prediction + 30))
            assert sign * better > sign * poorer

    def test_one_row_alone(self, metric: Metric) -> None:
        score = metric.score(np.array([3.0]), np.array([5.0]))
        assert math.isnan(score) if self.needs_both_classes else score == pytest.approx(self.of_three_said_to_be_five)


class MulticlassMetricContract(MetricContract):
    """The same of a label of several classes; predictions are probabilities (rows, classes)."""

    task: ClassVar[Task] = MULTICLASS
    classes: ClassVar[int] = 4

    def worst(self, truth: Numbers) -> Numbers:
        """Another class, for certain; the classes are not equally often confused."""
        return self.certain((truth + 1) % self.classes)

    def certain(self, truth: Numbers) -> Numbers:
        """(n, classes) all of the probability for one class."""
        return np.eye(self.classes)[truth.astype(np.int64)]

    @pytest.fixture(params=[(seed, ties) for seed in range(4) for ties in (False, True)], ids=str)
    def rows(self, request: pytest.FixtureRequest) -> tuple[Numbers, Numbers]:
        """Truth and probabilities of some rows, all different, or few different ones with zeros and ones."""
        seed, ties = request.param
        truth, prediction = self.invented(seed, ROWS)
        if ties:
            prediction = np.round(prediction * 4) / 4
            prediction[:, 0] = np.clip(1 - prediction[:, 1:].sum(axis=1), 0, 1)
            prediction /= prediction.sum(axis=1, keepdims=True)
        return truth, prediction

    def invented(self, seed: int, rows: int) -> tuple[Numbers, Numbers]:
        """Truth and prediction of some rows; the last class is rare."""
        draw = np.random.default_rng(seed)
        truth = draw.choice(self.classes, rows, p=[0.4, 0.3, 0.25, 0.05]).astype(np.float64)
        prediction = draw.dirichlet(np.ones(self.classes), rows)
        return truth, 0.3 * self.certain(truth) + 0.7 * prediction

    def test_nothing_is_better_than_the_truth(self, metric: Metric, rows: tuple[Numbers, Numbers]) -> None:
        truth, prediction = rows
        perfect, other, worst = (
            metric.score(truth, given) for given in (self.certain(truth), prediction, self.worst(truth))
        )
        sign = 1 if metric.goal == "maximize" else -1
        assert sign * perfect >= sign * other >= sign * worst
        assert perfect != worst


class RankingMetricContract:
    """What every metric of rows that are ranked within groups promises; `reference` is of the order of one group."""

    trec: ClassVar[str]
    """What trec_eval calls it."""
    best_is_one: ClassVar[bool] = True
    """Whether the best order of any group has 1."""

    @pytest.fixture
    def metric(self) -> Metric:
        """The member under test."""
        raise NotImplementedError

    def reference(self, relevance: Numbers) -> float:
        """The metric of one group whose rows, without ties, were sorted like this: an independent implementation."""
        raise NotImplementedError

    @pytest.fixture(params=[(seed, ties) for seed in range(3) for ties in (False, True)], ids=str)
    def rows(self, request: pytest.FixtureRequest) -> tuple[Numbers, Numbers, NDArray[np.int64]]:
        """Relevance, score and group of some rows in any order: groups of 1 to 6 rows, some without a relevant one."""
        seed, ties = request.param
        draw = np.random.default_rng(seed)
        group = np.repeat(np.arange(30), draw.integers(1, 7, 30))
        truth = draw.choice([0.0, 0.0, 1.0, 2.0], len(group))
        score = truth / 2 + draw.normal(size=len(group))
        other = draw.permutation(len(group))
        return truth[other], (np.round(score) if ties else score)[other], group[other]

    def by_hand(self, truth: Numbers, score: Numbers, group: NDArray[np.int64]) -> float:
        """The mean over groups, and in each over all orders that the scores allow."""
        found = []
        for one in np.unique(group):
            relevance, said = truth[group == one], score[group == one]
            orders = itertools.permutations(range(len(said)))
            allowed = [list(order) for order in orders if (np.diff(said[list(order)]) <= 0).all()]
            if relevance.any():
                found.append(np.mean([self.reference(relevance[order]) for order in allowed]))
        return float(np.mean(found))

    def test_says_what_it_is(self, metric: Metric) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name)
        assert metric.title
        assert (metric.goal, metric.task) == ("maximize", RANKING)
        assert hash(metric) == hash(replace(metric))  # type: ignore[type-var]
        says_what_it_means(metric)

    def test_agrees_with_all_orders_by_hand(self, metric: Metric, rows: Any) -> None:
        truth, score, group = rows
        assert metric.score(truth, score, group) == pytest.approx(self.by_hand(truth, score, group), abs=CLOSE)

    def test_a_weight_is_a_repeated_group(self, metric: Metric, rows: Any) -> None:
        truth, score, group = rows
        weights = _draws(5, 30)[:, group]
        expected = []
        for drawn in weights:
            again = [np.flatnonzero(group == one) for one in range(30) for _ in range(int(drawn[group == one][0]))]
            taken, number = np.concatenate(again), np.repeat(np.arange(len(again)), [len(each) for each in again])
            expected.append(metric.score(truth[taken], score[taken], number))
        assert metric.resample(truth, score, weights, group) == pytest.approx(expected, abs=CLOSE)

    def test_weights_of_one_are_the_score(self, metric: Metric, rows: Any) -> None:
        truth, score, group = rows
        found = metric.resample(truth, score, np.ones((3, len(truth))), group)
        assert found.tolist() == [metric.score(truth, score, group)] * 3

    def test_only_the_order_within_groups_counts(self, metric: Metric, rows: Any) -> None:
        truth, score, group = rows
        other = np.random.default_rng(1).permutation(len(truth))
        expected = pytest.approx(metric.score(truth, score, group), abs=CLOSE)
        assert metric.score(truth[other], score[other], group[other]) == expected
        assert metric.score(truth, 8 * score + 1000 * group, 7 - group) == expected

    def test_nothing_is_better_than_the_truth(self, metric: Metric, rows: Any) -> None:
        truth, score, group = rows
        perfect, other, worst = (metric.score(truth, given, group) for given in (truth, score, -truth))
        assert perfect >= other >= worst > 0
        assert perfect == 1 or not self.best_is_one

    def test_agrees_with_trec_eval(self, metric: Metric) -> None:
        draw = np.random.default_rng(5)
        group = np.repeat(np.arange(12), draw.integers(3, 25, 12))
        truth = draw.choice([0.0, 0.0, 0.0, 1.0, 2.0, 3.0], len(group))
        truth[group == 3] = 0  # nothing to find: left out here, 0 there
        score = draw.permutation(len(group)) / 8  # as 32-bit numbers, too, they differ
        found = trec_eval(self.trec, truth, score, group)
        asked = [found[str(one)] for one in np.unique(group) if truth[group == one].any()]
        assert metric.score(truth, score, group) == pytest.approx(np.mean(asked), abs=1e-6)
        everyone = replace(metric, empty_as_zero=True)  # type: ignore[type-var]
        assert everyone.score(truth, score, group) == pytest.approx(np.mean(list(found.values())), abs=1e-6)

    def test_of_ties_it_is_the_mean_of_trec_eval_over_all_names_of_the_rows(self, metric: Metric) -> None:
        truth, score = np.array([0.0, 1.0, 0.0, 2.0, 1.0, 0.0]), np.array([2.0, 2.0, 2.0, 1.0, 1.0, 1.0])
        one = np.zeros(6, np.int64)
        orders = [list(order) for order in itertools.permutations(range(6))]
        named = [trec_eval(self.trec, truth[order], score[order], one)["0"] for order in orders]
        assert len({round(value, 9) for value in named}) > 1
        assert metric.score(truth, score, one) == pytest.approx(np.mean(named), abs=1e-6)

    def test_a_group_without_a_relevant_row_is_left_out(self, metric: Metric, rows: Any) -> None:
        truth, score, group = rows
        more = np.append(truth, [0.0, 0.0]), np.append(score, [1.0, 2.0]), np.append(group, [99, 99])
        assert metric.score(*more) == metric.score(truth, score, group)
        assert math.isnan(metric.score(np.zeros(5), np.arange(5.0), np.zeros(5, np.int64)))

    def test_what_is_not_defined(self, metric: Metric, rows: Any) -> None:
        truth, score, group = rows
        nothing = np.empty(0)
        assert math.isnan(metric.score(nothing, nothing, nothing.astype(np.int64)))
        assert np.isnan(metric.resample(truth, score, np.zeros((2, len(truth))), group)).all()
        for broken in (math.nan, math.inf):
            assert math.isnan(metric.score(truth, np.where(truth == 1, broken, score), group))

    def test_without_groups_it_says_so(self, metric: Metric, rows: Any) -> None:
        with pytest.raises(PlatformError, match="was not told the groups of the rows"):
            metric.score(rows[0], rows[1])


def says_what_it_means(metric: Metric) -> None:
    """A unit, and a definition of one sentence that a page can print beside a number."""
    assert metric.unit == metric.unit.strip() != ""
    assert re.fullmatch(r"[A-Z][^\n]{20,220}\.", metric.definition)


def trec_eval(measure: str, truth: Numbers, score: Numbers, group: NDArray[np.int64]) -> dict[str, float]:
    """Group → what trec_eval itself says of it, the rows being named by their place."""
    import pytrec_eval

    said: dict[str, dict[str, int]] = {str(one): {} for one in np.unique(group)}
    run: dict[str, dict[str, float]] = {str(one): {} for one in np.unique(group)}
    for row, one in enumerate(group):
        said[str(one)][f"{row:04}"], run[str(one)][f"{row:04}"] = int(truth[row]), float(score[row])
    found = pytrec_eval.RelevanceEvaluator(said, {measure}).evaluate(run)
    return {one: of[measure.replace(".", "_")] for one, of in found.items()}


def _draws(resamples: int, rows: int) -> Numbers:
    """How often each row is drawn, (resamples, rows)."""
    draw = np.random.default_rng(3)
    return draw.multinomial(rows, np.full(rows, 1 / rows), size=resamples).astype(np.float64)
