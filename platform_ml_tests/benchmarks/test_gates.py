"""The promise that the benchmark prints holds in a smaller run of it."""

import importlib.util

import numpy as np
import pytest

from platform_ml.engine.bootstrap import entity_weights
from platform_ml.gates import SliceGap
from platform_ml_tests.architecture.files import ROOT

WORLDS = 300


@pytest.fixture(scope="module")
def gates():
    spec = importlib.util.spec_from_file_location("bench_gates", ROOT / "benchmarks" / "gates.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def weights(gates):
    return np.concatenate([*entity_weights(np.arange(sum(gates.SIZES)), resamples=200, seed="test")])


@pytest.mark.parametrize("loss", ["absolute error", "Brier score"])
def test_fair_models_pass_and_doubled_errors_in_a_hundred_rows_are_found(gates, weights, loss):
    gate = SliceGap(metric="loss", ratio=1.0)
    fair = gates.worlds_of(gates.LOSSES[loss], 1.0, WORLDS, weights)
    doubled = gates.worlds_of(gates.LOSSES[loss], 2.0, WORLDS, weights)
    assert np.mean([gates.stopped(gate, one) for one in fair]) <= 0.05
    assert np.mean([gates.stopped(gate, one, slice_=str(gates.BAD)) for one in doubled]) >= 0.9
    assert np.mean([gates.point(one, 1.0, 30) for one in fair]) > 0.75


def test_losses_are_as_much_greater_as_is_said(gates):
    for name, losses in gates.LOSSES.items():
        plain, doubled = (losses(np.random.default_rng(0), 400, 500, times).mean() for times in (1.0, 2.0))
        assert doubled / plain == pytest.approx(2, rel=0.03), name
