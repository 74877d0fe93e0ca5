import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from platform_ml.families import Recurrent, checkpoint, epochs
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.space import Whole
from platform_ml.spec.task import REGRESSION
from platform_ml.testing.learners import quality
from platform_ml.testing.networks import TRAINING, ListNetworkContract, lists

PARAMS = TRAINING | {"cell": "gru", "layers": 1, "width": 16, "longest": 5}


class TestRecurrent(ListNetworkContract):
    """A GRU, of a binary label."""

    member, params = Recurrent, PARAMS

    def test_half_precision_is_close(self, fitted, unseen):
        half = self.fit(precision="bfloat16")
        assert quality(unseen, half.predict(unseen.features)) > 0.7
        assert (half.predict(unseen.features) != fitted.predict(unseen.features)).any()


class TestRecurrentOfNumbers(ListNetworkContract):
    """Two LSTM one above the other, of a number."""

    member, params = Recurrent, PARAMS | {"cell": "lstm", "layers": 2, "max_epochs": 9}
    task = REGRESSION


PROGRAM = """
import os, signal
from platform_ml.families import Recurrent
from platform_ml_tests.families.test_recurrent import PARAMS, lists
def die(step, score):
    if step == 2:
        os.kill(os.getpid(), signal.SIGKILL)
Recurrent().fit(lists(1, 100), lists(2, 50), params=PARAMS, seed=7, report=die)
"""


def test_after_kill_minus_nine_too(tmp_path, monkeypatch):
    """Another process is really killed; this one goes on from what it left."""
    monkeypatch.setenv(epochs.DEVICE, "cpu")
    rows = [replace(lists(seed, count), cache={}) for seed, count in ((1, 100), (2, 50))]
    whole = Recurrent().fit(*rows, params=PARAMS, seed=7)
    monkeypatch.setenv(checkpoint.CHECKPOINTS, str(tmp_path))
    killed = subprocess.run([sys.executable, "-c", PROGRAM], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    (file,) = tmp_path.iterdir()
    told = []
    again = Recurrent().fit(*rows, params=PARAMS, seed=7, report=lambda step, score: told.append(score))
    assert not file.exists()
    assert len(told) == whole.training_profile["epochs"] > 3
    assert all((again.weights[name] == value).all() for name, value in whole.weights.items())


def test_several_classes_are_a_matter_of_outputs(monkeypatch):
    """The head has one output for each class, from the loss to the graph."""
    from platform_ml.engine.portable import run
    from platform_ml.families.deep import Lesson, learned
    from platform_ml.families.fitted_network import FittedNetwork
    from platform_ml.families.network_inputs import network_columns, network_inputs
    from platform_ml.families.networks import Architecture, network
    from platform_ml.families.outcome import Outcome

    monkeypatch.setenv(epochs.DEVICE, "cpu")
    train, validation = (replace(lists(seed, 300, REGRESSION), cache={}) for seed in (1, 2))
    train, validation = (replace(rows, label=np.digitize(rows.label, [0, 10]) * 1.0) for rows in (train, validation))
    inputs = network_inputs(train, user="Recurrent", max_levels=50, longest=5)
    outcome = Outcome(loss="softmax", outputs=3, classes=("a", "b", "c"))
    how = Architecture.of(inputs, "gru", PARAMS, outcome.outputs)
    columns = [network_columns(inputs, rows) for rows in (train, validation)]
    lesson = Lesson(train=train, columns=columns[0], validation=validation, judged=columns[1], outcome=outcome)
    found = learned(lambda torch: network(torch, how), lesson, params=PARAMS, seed=1, threads=1, report=None)
    fitted = FittedNetwork(inputs_of=inputs, how=how, weights=found.weights, outcome=outcome)
    prediction = fitted.predict(validation.features)
    assert prediction.shape == (300, 3)
    assert prediction.sum(axis=1) == pytest.approx(1)
    assert (prediction.argmax(axis=1) == validation.label).mean() > 0.6
    np.testing.assert_allclose(run(fitted.onnx(), fitted.inputs(validation.features)), prediction, atol=1e-5)
    assert fitted.contributions(validation.features).shape == (300, 6)


@pytest.mark.parametrize(
    ("field", "value"),
    [("cell", "gur"), ("layers", 0), ("width", Whole(0, 8)), ("longest", 0), ("schedule", "linear"), ("loss", "hinge")],
)
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(DeclarationError, match=f"Recurrent: {field}"):
        Recurrent(**{field: value})
