import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise

import pytest

from platform_ml.families import MultilayerPerceptron, epochs, multilayer_perceptron
from platform_ml.spec.errors import DeclarationError, StoreError
from platform_ml.spec.space import Between, Whole
from platform_ml.testing.families import FEATURES, invented
from platform_ml.testing.learners import BinaryLearnerContract, NumberLearnerContract

PARAMS = {
    "layers": 2,
    "width": 16,
    "dropout": 0.1,
    "learning_rate": 0.01,
    "weight_decay": 0.01,
    "batch_rows": 64,
    "accumulate": 1,
    "clip_norm": 1.0,
    "max_epochs": 12,
    "early_stopping_epochs": 5,
    "max_levels": 50,
}


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv(epochs.DEVICE, "cpu")


class Both:
    module = multilayer_perceptron
    params = PARAMS

    @pytest.fixture
    def family(self):
        return MultilayerPerceptron()

    def test_contributions_add_up_to_the_prediction(self, fitted, validation):
        assert fitted.contributions(validation.features) is None

    def test_contributions_know_the_category(self, shops):
        assert isinstance(shops, multilayer_perceptron.Network)

    def test_without_its_library_it_says_what_to_install(self, family, train, validation, monkeypatch):
        monkeypatch.setitem(sys.modules, "torch", None)
        with pytest.raises(Exception, match=r"pip install 'platform_ml\[deep\]'"):
            self.fit(family, train, validation)


class TestMultilayerPerceptron(Both, BinaryLearnerContract):
    """Of a binary label."""


class TestMultilayerPerceptronOfNumbers(Both, NumberLearnerContract):
    """Of a number."""


def fit(report=None, seed=7, **changes):
    return MultilayerPerceptron().fit(invented(1), invented(2), params=PARAMS | changes, seed=seed, report=report)


def saved(fitted, folder):
    folder.mkdir(exist_ok=True)
    return fitted.save(folder).read_bytes()


class KilledError(BaseException):
    """Like a signal, nothing in the training catches it."""


@pytest.mark.parametrize(("between", "killed"), [(1, 0), (1, 9), (3, 2), (200, 0), (200, 3)])
def test_a_killed_training_goes_on_to_the_same_weights(tmp_path, monkeypatch, between, killed):
    whole, told = saved(fit(report=lambda *_: None), tmp_path / "whole"), []
    monkeypatch.setenv(epochs.CHECKPOINTS, str(tmp_path / "checkpoints"))
    monkeypatch.setattr(epochs, "STEPS_BETWEEN", between)
    write, writes = epochs._Checkpoint.write, [0]

    def write_and_die(self, *arguments):
        write(self, *arguments)
        writes[0] += 1
        if writes[0] == killed + 1:
            raise KilledError

    monkeypatch.setattr(epochs._Checkpoint, "write", write_and_die)
    with pytest.raises(KilledError):
        fit()
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
    again = fit(report=lambda step, score: told.append((step, score)))
    assert saved(again, tmp_path / "again") == whole
    assert [step for step, _ in told] == list(range(len(told)))
    assert list((tmp_path / "checkpoints").iterdir()) == []


PROGRAM = """
from platform_ml.families import MultilayerPerceptron
from platform_ml.testing.families import invented
from platform_ml_tests.families.test_multilayer_perceptron import PARAMS
import sys
params = PARAMS | {"max_epochs": 60, "early_stopping_epochs": 60}
from pathlib import Path
MultilayerPerceptron().fit(invented(1), invented(2), params=params, seed=7).save(Path(sys.argv[1]))
"""


def test_after_kill_minus_nine_too(tmp_path):
    def start(name, **more):
        (tmp_path / name).mkdir()
        environment = os.environ | more
        return subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path / name)], env=environment)

    checkpoints = tmp_path / "checkpoints"
    child = start("killed", **{epochs.CHECKPOINTS: str(checkpoints)})
    until = time.monotonic() + 120
    while not list(checkpoints.glob("*.safetensors")) and time.monotonic() < until:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "model.safetensors").exists()
    assert list(checkpoints.glob("*.safetensors"))
    assert start("again", **{epochs.CHECKPOINTS: str(checkpoints)}).wait() == 0
    whole = fit(max_epochs=60, early_stopping_epochs=60)
    assert saved(whole, tmp_path / "whole") == (tmp_path / "again" / "model.safetensors").read_bytes()


def test_another_training_does_not_go_on_from_it(tmp_path, monkeypatch):
    monkeypatch.setenv(epochs.CHECKPOINTS, str(tmp_path))

    def die(*_):
        raise KilledError

    for changes in ({}, {"seed": 8}, {"width": 8}, {"learning_rate": 0.02}):
        with pytest.raises(KilledError):
            fit(report=die, **changes)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_damaged_checkpoint_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(epochs.CHECKPOINTS, str(tmp_path))

    def die(*_):
        raise KilledError

    with pytest.raises(KilledError):
        fit(report=die)
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"damaged")
    with pytest.raises(StoreError, match=f"Checkpoint {file} cannot be read"):
        fit()


def test_a_batch_in_parts_is_the_same_batch():
    whole, parts = (fit(accumulate=count, dropout=0.0, max_epochs=3) for count in (1, 4))
    rows = invented(3).features
    assert whole.predict(rows) == pytest.approx(parts.predict(rows), abs=1e-4)


def test_the_best_epoch_is_kept_and_every_one_reported():
    told = []
    fitted = fit(report=lambda step, score: told.append(score))
    validation = invented(2)
    reached = multilayer_perceptron._score("log", validation.label, fitted.predict(validation.features))
    assert reached == pytest.approx(max(told), abs=1e-6)
    assert len(told) - 1 - told.index(max(told)) == 5 or len(told) == PARAMS["max_epochs"]


def test_a_report_can_stop_it():
    with pytest.raises(ZeroDivisionError):
        fit(report=lambda step, score: 1 / (3 - step))


def test_the_learning_rate_rises_and_falls():
    rates = [epochs._rate(0.1, step, 100) for step in range(100)]
    assert rates[:5] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])
    assert all(before >= after for before, after in pairwise(rates[4:]))
    assert rates[-1] < 0.001


def test_gradients_are_clipped():
    rows = invented(3).features
    assert fit(clip_norm=1e-9, max_epochs=2).predict(rows) != pytest.approx(fit(max_epochs=2).predict(rows), abs=1e-6)


def test_memory_is_logged(caplog):
    with caplog.at_level(logging.INFO, epochs.LOG.name):
        fit(max_epochs=2)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["epoch 1", "epoch 2"]
    assert "peak memory" in caplog.text


def test_another_loss_is_another_network():
    train, validation = (replace(invented(seed, task=multilayer_perceptron.Task.REGRESSION)) for seed in (1, 2))
    found = [
        MultilayerPerceptron(loss=loss).fit(train, validation, params=PARAMS | {"loss": loss}, seed=1)
        for loss in ("squared", "absolute")
    ]
    assert (found[0].predict(validation.features) != found[1].predict(validation.features)).any()


def test_layers_that_do_not_fit_are_refused(tmp_path):
    fitted = fit(max_epochs=1)
    file = replace(fitted, layers=fitted.layers[1:]).save(tmp_path)
    with pytest.raises(StoreError, match="does not fit together"):
        MultilayerPerceptron().load(file, FEATURES)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("layers", 0),
        ("width", Whole(0, 8)),
        ("dropout", 0.95),
        ("learning_rate", 0.0),
        ("learning_rate", Between(0.0, 0.1)),
        ("batch_rows", 0),
        ("clip_norm", 0.0),
        ("loss", "hinge"),
    ],
)
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(DeclarationError, match=f"MultilayerPerceptron: {field}"):
        MultilayerPerceptron(**{field: value})
