from dataclasses import replace

import pytest

from platform_ml.gates import Latency
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.declarations import numbers
from platform_ml.testing.gates import GateContract


class TestLatency(GateContract):
    @pytest.fixture
    def gate(self):
        return Latency(2.0)

    @pytest.fixture
    def passing(self):
        return numbers()

    @pytest.fixture
    def failing(self):
        return replace(numbers(), latency_ms={"p50": 1.0, "p95": 2.1, "p99": 3.0})

    @pytest.fixture
    def undefined(self):
        return replace(numbers(), latency_ms={})

    def test_by_percentile(self, passing):
        verdict = Latency(2.0, percentile="p99").judge(passing)
        assert verdict.reason == "Predicting one row takes 3 ms (p99), must be at most 2 ms."
        assert not verdict.passed

    def test_near_miss(self):
        with pytest.raises(DeclarationError, match="no percentile 'p96'"):
            Latency(2.0, percentile="p96")

    @pytest.mark.parametrize("limit", [0, float("nan")])
    def test_a_limit_is_positive(self, limit):
        with pytest.raises(DeclarationError, match="above 0"):
            Latency(limit)
