import json
import random
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from platform_ml.engine.fitting import Fitting
from platform_ml.engine.seeds import derived, seeded, seeds
from platform_ml.spec.task import BINARY
from platform_ml.testing.declarations import lapse_model
from platform_ml.testing.families import invented


@dataclass(frozen=True)
class Drawn:
    """Predicts what the shared generators gave."""

    numbers: tuple

    def predict(self, rows):
        return np.full(len(rows), sum(self.numbers) / 10)

    def save(self, folder):
        (folder / "drawn.json").write_text(json.dumps(self.numbers))
        return folder / "drawn.json"


@dataclass(frozen=True, kw_only=True)
class Draws:
    """A family that draws from every generator that a process shares, and has no seed."""

    name: ClassVar[str] = "draws"
    tasks = (BINARY,)

    def columns(self):
        return None

    def fit(self, train, validation, *, params, seed, report=None):
        numbers = (random.random(), float(np.random.rand()), float(torch.rand(1)))  # noqa: NPY002
        assert torch.are_deterministic_algorithms_enabled()
        return Drawn(numbers)

    def load(self, file, features):
        return Drawn(tuple(json.loads(file.read_text())))


ROWS = {"train": invented(1), "validation": invented(2)}


def fit(seed=0):
    fitting = Fitting.of(replace(lapse_model, seed=seed), ROWS)
    return fitting.fit(Draws(), {})[0].numbers


def states():
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002


def test_a_family_that_draws_from_every_generator_is_repeatable():
    first = fit()
    random.random(), np.random.rand(), torch.rand(1)  # noqa: NPY002
    assert fit() == first
    assert all(one != other for one, other in zip(fit(seed=1), first, strict=True))


def test_afterwards_the_generators_are_as_they_were():
    before = states()
    fit()
    assert states() == before
    with pytest.raises(ZeroDivisionError), seeded(3):
        random.randint(1, 6) / 0
    assert states() == before
    assert not torch.are_deterministic_algorithms_enabled()


def test_within_another_one_nothing_is_seeded_again():
    with seeded(1):
        first = random.random()
        with seeded(1):
            assert random.random() != first


LATE = """
import sys
from platform_ml.engine.seeds import derived, seeded
from platform_ml.spec.libraries import library
with seeded(5):
    assert "torch" not in sys.modules
    torch = library("torch", extra="deep", user="a family")
    assert torch.initial_seed() == derived(5, "torch")
    first = float(torch.rand(1))
    library("torch", extra="deep", user="a family")
    assert float(torch.rand(1)) != first
assert not torch.are_deterministic_algorithms_enabled()
with seeded(5):
    assert float(torch.rand(1)) == first
"""


def test_torch_that_a_fit_loads_is_seeded_as_well():
    subprocess.run([sys.executable, "-c", LATE], check=True, cwd=Path(__file__).parents[2])


def test_threads_leave_the_generators_as_they_were():
    before, both = states(), threading.Barrier(2)

    def work():
        with seeded(1):
            both.wait(60)
            random.random()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states() == before


def test_each_purpose_has_a_seed_of_its_own():
    assert derived(7, "numpy") == derived(7, "numpy")
    found = [value for seed in (0, 1) for value in list(seeds(seed).values())[1:]]
    assert len(set(found)) == len(found) == 6
    assert all(0 <= value < 2**31 for value in found)
