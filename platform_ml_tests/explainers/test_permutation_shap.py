import itertools
import math

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.explainers import PermutationShap
from platform_ml.families import Linear
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.task import REGRESSION
from platform_ml.testing.explainers import ExplainerContract


class Made:
    """A model that is a formula."""

    def __init__(self, formula):
        self.formula = formula

    def predict(self, rows):
        return np.asarray(self.formula(*(column.to_numpy(zero_copy_only=False) for column in rows.columns)), float)


def table(seed, count, names="abc"):
    draw = np.random.default_rng(seed)
    return pa.table({name: draw.normal(size=count) for name in names})


def shapley(model, rows, background):
    """The definition: over all subsets of the other features (Shapley 1953), averaged over background rows."""
    names, found = rows.column_names, np.zeros((len(rows), rows.num_columns))

    def value(known, row):
        columns = {
            name: pa.array(np.repeat(rows[name][row].as_py(), len(background))) if name in known else background[name]
            for name in names
        }
        return model.predict(pa.table(columns)).mean()

    for row, (at, name) in itertools.product(range(len(rows)), enumerate(names)):
        others = [one for one in names if one != name]
        for size in range(len(names)):
            weight = math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(names))
            for known in itertools.combinations(others, size):
                found[row, at] += weight * (value({*known, name}, row) - value({*known}, row))
    return found


class TestPermutationShap(ExplainerContract):
    @pytest.fixture
    def explainer(self):
        return PermutationShap()

    @pytest.fixture
    def family(self):
        return Linear(penalty=0.001)

    def explain(self, model, rows, background, seed=1):
        return PermutationShap().explain(model, rows, background, task=REGRESSION, seed=seed)

    def test_of_a_sum_it_is_exact(self):
        rows, background = table(1, 5), table(2, 4)
        found = self.explain(Made(lambda a, b, c: 2 * a - b), rows, background).values[:, :, 0]
        for at, slope in enumerate((2, -1, 0)):
            values, others = rows.column(at).to_numpy(), background.column(at).to_numpy()
            np.testing.assert_allclose(found[:, at], slope * (values - others.mean()), atol=1e-12)

    def test_of_pairs_it_is_what_shapley_defined(self):
        """An order and its reverse are exact as long as no three features work together."""
        model = Made(lambda a, b, c: np.where((a > 0) != (b > 0), 1.0, 0.0) + b * c)
        rows, background = table(3, 4), table(4, 6)
        found = self.explain(model, rows, background)
        np.testing.assert_allclose(found.values[:, :, 0], shapley(model, rows, background), atol=1e-12)
        np.testing.assert_allclose(found.base[:, 0], model.predict(background).mean())

    def test_of_triples_it_comes_near(self):
        model = Made(lambda a, b, c: a * b * c)
        rows, background = table(3, 3), table(4, 300)
        found = self.explain(model, rows, background).values[:, :, 0]
        np.testing.assert_allclose(found, shapley(model, rows, background), atol=0.15)
        assert self.explain(model, rows, background, seed=2).values[:, :, 0].tolist() != found.tolist()

    def test_one_feature_has_all_of_it(self):
        rows, background = table(1, 5, "a"), table(2, 4, "a")
        found = self.explain(Made(lambda a: a**2), rows, background)
        expected = rows["a"].to_numpy() ** 2 - (background["a"].to_numpy() ** 2).mean()
        np.testing.assert_allclose(found.values[:, 0, 0], expected, atol=1e-12)

    def test_asks_no_more_than_was_declared(self):
        asked = []
        model = Made(lambda a, b, c: asked.append(len(a)) or a)
        few = PermutationShap(predictions=500)
        most = few.most_rows(3, 10)
        few.explain(model, table(1, most), table(2, 10), task=REGRESSION, seed=1)
        assert most == 8
        assert sum(asked) <= 500
        assert PermutationShap(predictions=1).most_rows(100, 100) == 1

    def test_no_predictions_are_no_explanation(self):
        with pytest.raises(DeclarationError, match="predictions is 0"):
            PermutationShap(predictions=0)
