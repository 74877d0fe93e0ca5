import math

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from platform_ml.metrics import SimplifiedSilhouette
from platform_ml.spec.task import CLUSTERING
from platform_ml.testing.metrics import MulticlassMetricContract


class TestSimplifiedSilhouette(MulticlassMetricContract):
    task = CLUSTERING
    needs_both_classes = False

    @pytest.fixture
    def metric(self):
        return SimplifiedSilhouette()

    def certain(self, truth):
        """On one centre, and far from all others."""
        return 1 - np.eye(self.classes)[truth.astype(np.int64)]

    def worst(self, truth):
        """As far from each."""
        return np.ones((len(truth), self.classes))

    def reference(self, truth, prediction, weights):
        nearest = np.sort(prediction, axis=1)
        rows = [0.0 if b == 0 else (b - a) / max(a, b) for a, b, *_ in nearest]
        return np.average(rows, weights=weights)

    def test_nothing_is_better_than_the_truth(self, metric, rows):
        truth, prediction = rows
        assert metric.score(truth, self.certain(truth)) == 1
        assert 0 <= metric.score(truth, prediction) <= 1
        assert metric.score(truth, self.worst(truth)) == 0

    def test_it_moves_as_the_silhouette_of_all_pairs_does(self, metric):
        draw, scores = np.random.default_rng(1), []
        for apart in (1.0, 3.0, 9.0):
            centres = np.array([[0.0, 0.0], [apart, 0.0]])
            places = np.repeat(centres, 100, axis=0) + draw.normal(size=(200, 2))
            distance = np.linalg.norm(places[:, None] - centres, axis=2)
            pairs = silhouette_score(places, distance.argmin(axis=1))
            scores.append((metric.score(np.zeros(200), distance), pairs))
        assert scores == sorted(scores)
        assert scores[-1][0] == pytest.approx(scores[-1][1], abs=0.06)

    def test_one_centre_alone_is_undefined(self, metric):
        assert math.isnan(metric.score(np.zeros(3), np.ones((3, 1))))
