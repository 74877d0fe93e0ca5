import logging
import sys
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise

import pytest

from platform_ml.families import MultilayerPerceptron, checkpoint, deep, epochs, multilayer_perceptron
from platform_ml.spec.errors import DeclarationError, StoreError
from platform_ml.spec.space import Between, Whole
from platform_ml.spec.task import REGRESSION
from platform_ml.testing.families import FEATURES, invented
from platform_ml.testing.learners import (
    BinaryLearnerContract,
    MulticlassLearnerContract,
    NumberLearnerContract,
    with_shop,
)
from platform_ml.testing.networks import TRAINING

PARAMS = TRAINING | {"layers": 2, "width": 16}


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv(epochs.DEVICE, "cpu")


@cache
def fitted_once(task):
    """What many tests look at and none changes."""
    return MultilayerPerceptron().fit(invented(1, task=task), invented(2, 200, task=task), params=PARAMS, seed=7)


@cache
def shops_once(task):
    train, validation = (with_shop(invented(n, rows, task=task), n + 4) for n, rows in ((1, 800), (2, 200)))
    return MultilayerPerceptron().fit(train, validation, params=PARAMS, seed=7)


class Both:
    module = multilayer_perceptron
    params = PARAMS

    @pytest.fixture
    def family(self):
        return MultilayerPerceptron()

    @pytest.fixture
    def fitted(self):
        return fitted_once(self.task)

    @pytest.fixture
    def shops(self):
        return shops_once(self.task)

    def test_without_its_library_it_says_what_to_install(self, family, train, validation, monkeypatch):
        monkeypatch.setitem(sys.modules, "torch", None)
        with pytest.raises(Exception, match=r"pip install 'platform_ml\[deep\]'"):
            self.fit(family, train, validation)


class TestMultilayerPerceptron(Both, BinaryLearnerContract):
    """Of a binary label."""


class TestMultilayerPerceptronOfNumbers(Both, NumberLearnerContract):
    """Of a number."""


class TestMultilayerPerceptronOfClasses(Both, MulticlassLearnerContract):
    """Of several classes."""


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
    monkeypatch.setenv(checkpoint.CHECKPOINTS, str(tmp_path / "checkpoints"))
    monkeypatch.setattr(epochs, "STEPS_BETWEEN", between)
    write, writes = checkpoint.Checkpoint.write, [0]

    def write_and_die(self, *arguments):
        write(self, *arguments)
        writes[0] += 1
        if writes[0] == killed + 1:
            raise KilledError

    monkeypatch.setattr(checkpoint.Checkpoint, "write", write_and_die)
    with pytest.raises(KilledError):
        fit()
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
    again = fit(report=lambda step, score: told.append((step, score)))
    assert saved(again, tmp_path / "again") == whole
    assert [step for step, _ in told] == list(range(len(told)))
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_another_training_does_not_go_on_from_it(tmp_path, monkeypatch):
    monkeypatch.setenv(checkpoint.CHECKPOINTS, str(tmp_path))

    def die(*_):
        raise KilledError

    for changes in ({}, {"seed": 8}, {"width": 8}, {"learning_rate": 0.03}):
        with pytest.raises(KilledError):
            fit(report=die, **changes)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_damaged_checkpoint_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(checkpoint.CHECKPOINTS, str(tmp_path))

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
    reached = fitted.outcome.score(validation.label, fitted.predict(validation.features)[:, None])
    assert reached == pytest.approx(max(told), abs=1e-6)
    assert len(told) - 1 - told.index(max(told)) == 3 or len(told) == PARAMS["max_epochs"]


def test_a_report_can_stop_it():
    with pytest.raises(ZeroDivisionError):
        fit(report=lambda step, score: 1 / (3 - step))


def rates(schedule, warm_up=0.05, steps=100):
    family = MultilayerPerceptron(schedule=schedule, warm_up=warm_up)
    params = {field.name: getattr(family, field.name) for field in fields(family)} | {"learning_rate": 0.1}
    return [epochs.learning_rate(deep._plan(params, 1), step, steps) for step in range(steps)]


def test_the_learning_rate_rises_and_falls():
    found = rates("cosine")
    assert found[:5] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])
    assert all(before >= after for before, after in pairwise(found[4:]))
    assert found[-1] < 0.001


def test_the_learning_rate_stays_after_its_warm_up():
    assert rates("constant", warm_up=0.1)[9:] == [0.1] * 91
    assert rates("constant", warm_up=0.0) == [0.1] * 100


def test_one_cycle_is_that_of_torch():
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.1, total_steps=102, pct_start=31 / 102, final_div_factor=400
    )
    found = []
    for _ in range(101):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    ours = rates("one_cycle", steps=100)
    assert ours[0] == pytest.approx(found[0], rel=0.01)
    assert max(ours) == pytest.approx(0.1)
    assert ours.index(max(ours)) == found.index(max(found)) == 30
    assert ours[30:] == pytest.approx(found[30:100], abs=0.002)


def test_gradients_are_clipped():
    rows = invented(3).features
    assert fit(clip_norm=1e-9, max_epochs=2).predict(rows) != pytest.approx(fit(max_epochs=2).predict(rows), abs=1e-6)


def test_memory_is_logged(caplog):
    with caplog.at_level(logging.INFO, epochs.LOG.name):
        fitted = fit(max_epochs=2)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["epoch 1", "epoch 2"]
    assert "peak memory" in caplog.text
    assert fitted.training_profile.keys() == {"epochs", "best_epoch", "peak_memory_mb", "device_peak_memory_mb"}
    assert fitted.training_profile["epochs"] == 2
    assert fitted.training_profile["peak_memory_mb"] > 50


def test_another_loss_is_another_network():
    train, validation = (replace(invented(seed, task=REGRESSION)) for seed in (1, 2))
    found = [
        MultilayerPerceptron(loss=loss).fit(train, validation, params=PARAMS | {"loss": loss}, seed=1)
        for loss in ("squared", "absolute")
    ]
    assert (found[0].predict(validation.features) != found[1].predict(validation.features)).any()


def test_half_precision_is_close():
    rows, whole, half = invented(3).features, fit(), fit(precision="bfloat16")
    assert half.predict(rows) == pytest.approx(whole.predict(rows), abs=0.1)
    assert (half.predict(rows) != whole.predict(rows)).any()


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
        ("schedule", "cosin"),
        ("warm_up", 2.0),
        ("precision", "float16"),
    ],
)
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(DeclarationError, match=f"MultilayerPerceptron: {field}"):
        MultilayerPerceptron(**{field: value})
