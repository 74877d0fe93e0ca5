"""The order of test files: who takes longest starts first, so that no worker is left alone with one in the end."""

import gc
from pathlib import Path

LONGEST = (
    "projects/test_retail.py",
    "deployment",
    "adapters/test_mlflow_faults.py",
    "orchestration",
    "adapters",
    "projects",
    "faults",
    "families",
    "engine",
    "benchmarks",
)
"""Files and folders of this one, as `--durations` shows them."""
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    turn = {path: _turn(path) for path in {item.path for item in items}}
    items.sort(key=lambda item: turn[item.path])


def _turn(path):
    first = (HERE / long for long in LONGEST)
    return next((turn for turn, long in enumerate(first) if path == long or long in path.parents), len(LONGEST))


def pytest_collection_finish():
    gc.freeze()  # a worker holds 14,000 collected tests: looking through them again and again is a fifth of its time


def pytest_unconfigure():
    gc.unfreeze()
