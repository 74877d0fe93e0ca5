import pytest

from platform_ml.explainers import IntegratedGradients
from platform_ml.families import MultilayerPerceptron
from platform_ml.spec.task import REGRESSION
from platform_ml.testing.explainers import ExplainerContract


class TestIntegratedGradients(ExplainerContract):
    @pytest.fixture
    def explainer(self):
        return IntegratedGradients()

    @pytest.fixture
    def family(self):
        return MultilayerPerceptron(
            layers=1, width=16, dropout=0.0, learning_rate=0.02, weight_decay=1e-6, max_epochs=15, batch_rows=64
        )

    def test_says_what_the_quadrature_left(self, explainer, family):
        found = self.explained(explainer, family, REGRESSION)
        assert 0 < found.leftover < 0.05 * abs(found.values.sum(axis=1)).max()
