import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from platform_ml.metrics import MacroRocAuc
from platform_ml.testing.metrics import MulticlassMetricContract


class TestMacroRocAuc(MulticlassMetricContract):
    needs_both_classes = True

    @pytest.fixture
    def metric(self):
        return MacroRocAuc()

    def reference(self, truth, prediction, weights):
        drawn = weights > 0
        found = [
            roc_auc_score(truth == one, prediction[:, int(one)], sample_weight=weights)
            for one in np.unique(truth[drawn])
            if len(np.unique(truth[drawn])) > 1
        ]
        return np.mean(found) if found else np.nan

    def test_it_is_the_one_of_all_classes(self, metric, rows):
        truth, prediction = rows
        assert metric.score(truth, prediction) == pytest.approx(
            roc_auc_score(truth, prediction / prediction.sum(axis=1, keepdims=True), multi_class="ovr")
        )
