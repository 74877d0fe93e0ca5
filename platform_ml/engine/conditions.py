"""Under which conditions a model was fitted: all that may change its bytes beside its declaration, rows and code."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_ml.engine.seeds import seeds
from platform_ml.spec.fingerprint import SEMANTICS, meaning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.tuned_model import TunedModel

LIBRARIES = {
    "numpy": "numpy",
    "pyarrow": "pyarrow",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "torch": "torch",
    "safetensors": "safetensors",
    "optuna": "optuna",
    "onnx": "onnx",
}
"""Module → distribution, of what fits, searches and stores models."""
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
DEVICE = "PLATFORM_ML_DEVICE"
CALLED = {
    "device": "device",
    "threads": "threads",
    "processor": "processor",
    "platform": "operating system",
}
"""What of the conditions people call how; libraries go by their names."""


def conditions(model: TunedModel) -> dict[str, Any]:
    """What a model's record says beside `made_by`, plain JSON; asked after it was fitted, when its libraries are there.

    `declaration` is the whole meaning of the declaration, `semantics` how the platform understood it, `seeds` all that
    was derived from its seed, and `conditions` the device, threads, processor and libraries.
    """
    return {
        "declaration": meaning(model),
        "semantics": SEMANTICS,
        "seeds": seeds(model.seed),
        "conditions": here(),
    }


def here() -> dict[str, Any]:
    """The conditions of this process."""
    return {
        "device": _device(),
        "threads": ", ".join(f"{name}={os.environ[name]}" for name in THREADS if name in os.environ)
        or f"{os.cpu_count()} cores",
        "processor": _processor(),
        "platform": platform.platform(),
        "libraries": {name: found for module, name in LIBRARIES.items() if (found := _version(module, name))},
    }


def differing(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In which conditions one fit differs from another, as sentences; a library that one did not load is left out."""
    found = [
        f"{called}: {then[name]} → {now[name]}"
        for name, called in CALLED.items()
        if name in then and name in now and then[name] != now[name]
    ]
    before, after = then.get("libraries", {}), now.get("libraries", {})
    return found + [
        f"{name}: {before[name]} → {after[name]}" for name in before if name in after and before[name] != after[name]
    ]


def _device() -> str:
    """Where torch trains; everything else trains on the CPU."""
    if named := os.environ.get(DEVICE):
        return named
    torch = sys.modules.get("torch")
    return "cuda" if torch is not None and torch.cuda.is_available() else "cpu"


def _version(module: str, distribution: str) -> str:
    """Empty where nothing has loaded it."""
    if module not in sys.modules:
        return ""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return str(getattr(sys.modules[module], "__version__", "unknown"))


@cache
def _processor() -> str:
    """Its make, where the system tells: libraries choose their instructions by it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
