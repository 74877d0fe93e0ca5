"""One seed for everything that draws numbers while a model is fitted.

A model's `seed` is handed to its tuner and its family: what has a seed of its own (XGBoost, LightGBM, CatBoost,
scikit-learn, Optuna, torch's own generators) uses that. Whatever draws from the generators that a process shares
(`random`, `numpy.random`, torch's default ones) finds them seeded, each with a number of its own derived from the same
seed, and torch held to algorithms that repeat themselves. Afterwards all of them are as they were before: a fit neither
depends on what ran before it in the process nor changes what runs after it.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from platform_ml.spec.libraries import WATCHERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PYTHON, NUMPY, TORCH = "python", "numpy", "torch"
GENERATORS = (PYTHON, NUMPY, TORCH)
"""What is seeded, and the purpose that each seed is derived for."""
WORKSPACE = "CUBLAS_WORKSPACE_CONFIG", ":4096:8"
"""What CUDA's linear algebra needs to repeat itself; it is read when a process first uses it."""
_lock = threading.Lock()
_inside: list[_Seeded] = []
_depth = 0


def derived(seed: int, purpose: str) -> int:
    """A seed below 2^31 for one purpose; other purposes and other seeds give unrelated ones.

    >>> derived(0, "numpy") == derived(0, "numpy") != derived(0, "torch")
    True
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:4], "big") >> 1


def seeds(seed: int) -> dict[str, int]:
    """Every seed that follows from a model's: its own, and those of the shared generators."""
    return {"seed": seed} | {f"seed.{purpose}": derived(seed, purpose) for purpose in GENERATORS}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the shared generators for the block, and put them back after it.

    Fits that run at the same time in threads share these generators and so cannot be repeated by them; the first of
    them seeds and the last one puts back. torch is seeded where it is loaded, or as soon as a family asks for it by
    `spec.libraries.library`.
    """
    global _depth  # noqa: PLW0603 - the generators are the process's as well
    with _lock:
        _depth += 1
        if _depth == 1:
            _inside.append(_Seeded(seed))
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _inside.pop().undo.close()


class _Seeded:
    """What was seeded, and how it is undone."""

    def __init__(self, seed: int) -> None:
        import numpy as np

        self.seed, self.undo, self.loaded = derived(seed, TORCH), ExitStack(), False
        self.undo.callback(random.setstate, random.getstate())
        random.seed(derived(seed, PYTHON))
        legacy: Callable[[Any], None] = np.random.set_state
        self.undo.callback(legacy, np.random.get_state())  # noqa: NPY002 - what others may draw from
        np.random.seed(derived(seed, NUMPY))  # noqa: NPY002
        if TORCH in sys.modules:
            self.watch(TORCH)
        WATCHERS.append(self.watch)
        self.undo.callback(WATCHERS.remove, self.watch)

    def watch(self, module: str) -> None:
        """Seed torch when it comes."""
        if module == TORCH and not self.loaded:
            self.loaded = True
            _torch(self.seed, self.undo)


def _torch(seed: int, undo: ExitStack) -> None:
    import torch

    os.environ.setdefault(*WORKSPACE)
    cuda: Any = torch.cuda
    if cuda.is_initialized():
        undo.callback(cuda.set_rng_state_all, cuda.get_rng_state_all())
    undo.callback(torch.set_rng_state, torch.get_rng_state())
    undo.callback(torch.set_deterministic_debug_mode, torch.get_deterministic_debug_mode())
    undo.callback(setattr, torch.backends.cudnn, "benchmark", torch.backends.cudnn.benchmark)
    torch.manual_seed(seed)  # those of CUDA devices, too
    torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms would load torch's compiler
    torch.backends.cudnn.benchmark = False
