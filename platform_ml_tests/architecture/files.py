"""The files of the checkout that git knows or would take, and what Python makes of them."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = (
    "aggregations",
    "checks",
    "explainers",
    "exports",
    "families",
    "features",
    "formats",
    "gates",
    "metrics",
    "origins",
    "outcomes",
    "outliers",
    "preparations",
    "readers",
    "resamplings",
    "selections",
    "simulators",
    "splitters",
    "triggers",
    "tuners",
)


@cache
def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sorted(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def python_files(folder="platform_ml"):
    return [path for path in tracked() if path.suffix == ".py" and path.is_relative_to(ROOT / folder)]


def relative(path):
    return path.relative_to(ROOT).as_posix()


def module(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
