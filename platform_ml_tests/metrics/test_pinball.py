import pytest
from sklearn.metrics import mean_pinball_loss

from platform_ml.metrics import MAE, Pinball
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.metrics import RegressionMetricContract


class TestPinball(RegressionMetricContract):
    of_three_said_to_be_five = 0.2

    @pytest.fixture
    def metric(self):
        return Pinball(0.9)

    def reference(self, truth, prediction, weights):
        return mean_pinball_loss(truth, prediction, sample_weight=weights, alpha=0.9)

    def test_at_the_median_it_is_half_of_the_mean_distance(self, rows):
        assert Pinball().score(*rows) == pytest.approx(MAE().score(*rows) / 2)

    def test_it_is_called_by_its_quantile(self, metric):
        assert (metric.name, metric.title) == ("pinball_0_9", "Pinball loss at 0.9")
        assert "times 0.9 where the prediction is too low and 0.1 where it is too high" in metric.definition

    @pytest.mark.parametrize("quantile", [0, 1, float("nan")])
    def test_a_quantile_lies_between_0_and_1(self, quantile):
        with pytest.raises(DeclarationError, match="between 0 and 1"):
            Pinball(quantile)
