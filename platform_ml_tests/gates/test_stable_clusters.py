import math
from dataclasses import replace

import pytest

from platform_ml.gates import StableClusters
from platform_ml.spec.clusters import Cluster, ClusterScore
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.gate import Outcome
from platform_ml.testing.declarations import lapse_evaluation, numbers
from platform_ml.testing.gates import GateContract
from platform_ml_tests.engine.test_clusters import EVALUATION


def seen(*stability, share=0.5, resamples=20):
    clusters = tuple(
        Cluster(number=number, train_rows=100, test_rows=50, share=share, stability=one)
        for number, one in enumerate(stability, 1)
    )
    score = ClusterScore(
        clusters=clusters, silhouette=0.5, davies_bouldin=0.6, agreement=0.8, resamples=resamples, means={"x": 1.0}
    )
    return replace(numbers(), clusters=score)


class TestStableClusters(GateContract):
    @pytest.fixture
    def evaluation(self):
        return EVALUATION

    @pytest.fixture
    def gate(self):
        return StableClusters(0.75, share=0.1)

    @pytest.fixture
    def passing(self):
        return seen(0.9, 0.75)

    @pytest.fixture
    def failing(self):
        return seen(0.9, 0.6)

    @pytest.fixture
    def undefined(self):
        return seen(0.9, None)

    @pytest.fixture
    def foreign(self):
        return lapse_evaluation

    def test_a_cluster_of_hardly_a_row_fails(self, gate):
        verdict = gate.judge(seen(0.9, 0.9, share=0.05))
        assert verdict.outcome is Outcome.FAILED
        assert "cluster 2: stability 0.9000, 5.0% of the test rows" in verdict.reason
        assert StableClusters(0.75).judge(seen(0.9, 0.9, share=0.05)).passed

    def test_few_resamples_and_other_numbers_are_not_enough(self, gate):
        assert gate.judge(seen(0.9, resamples=9)).outcome is Outcome.NOT_ENOUGH_EVIDENCE
        assert gate.judge(numbers()).outcome is Outcome.NOT_ENOUGH_EVIDENCE

    @pytest.mark.parametrize("wrong", [{"at_least": 0.0}, {"at_least": math.nan}, {"share": 1.0}])
    def test_limits_are_shares(self, wrong):
        with pytest.raises(DeclarationError, match="StableClusters"):
            StableClusters(**wrong)
