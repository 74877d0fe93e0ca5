"""What is in git is free of the machine it was written on, and of what belongs into data/."""

import re
from pathlib import Path

import pytest

from platform_ml_tests.architecture.files import ROOT, relative, tracked

# Written so that this file does not find itself.
FORBIDDEN = {
    "a path in somebody's home": re.compile(r"(?<![\w.*/])/(?:hom[e]|roo[t]|User[s])/\w"),
    "a temporary folder of a machine": re.compile(r"(?<![\w.*/])/(?:tm[p]|var/tm[p])/\w"),
    "a registry's host": re.compile(
        r"pypi\.or[g]|pythonhoste[d]\.org|registry\.npmj[s]|deb\.debia[n]|conda\.anacond[a]|crates\.i[o]"
    ),
    "an index option of pip": re.compile(r"--(?:extra-)?index-ur[l]|--find-link[s]|--trusted-hos[t]"),
}
OURS = {
    ".cfg",
    ".ci",
    ".html",
    ".ini",
    ".ipynb",
    ".j2",
    ".json",
    ".lock",
    ".md",
    ".py",
    ".sh",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
}
ARTIFACTS = {
    ".bin",
    ".db",
    ".duckdb",
    ".joblib",
    ".npy",
    ".parquet",
    ".pickle",
    ".pkl",
    ".pt",
    ".pth",
    ".sqlite",
    ".ubj",
}


def texts():
    for path in tracked():
        if path.suffix in OURS or not path.suffix:
            yield path, path.read_text()


def test_no_tracked_text_names_a_machine_or_a_registry():
    found = [
        f"{relative(path)}:{text.count(chr(10), 0, hit.start()) + 1}: {what}: {hit.group()}"
        for path, text in texts()
        for what, pattern in FORBIDDEN.items()
        for hit in pattern.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize("folder", [ROOT, Path.home()], ids=["checkout", "home"])
def test_no_tracked_text_names_this_checkout(folder):
    if len(folder.parts) < 2:
        pytest.skip("the root of the file system is no telling path")
    assert [relative(path) for path, text in texts() if f"{folder}/" in text] == []


def test_no_artifact_is_tracked():
    fixtures = ROOT / "platform_ml_tests"
    assert [relative(p) for p in tracked() if p.suffix in ARTIFACTS and not p.is_relative_to(fixtures)] == []
    assert [
        relative(p) for p in tracked() if p.suffix in ARTIFACTS & {".pkl", ".pickle", ".joblib", ".pt", ".pth"}
    ] == []


def test_of_data_only_its_description_is_tracked():
    assert [relative(p) for p in tracked() if p.is_relative_to(ROOT / "data")] == ["data/DATA.md"]


def test_the_lock_holds_exact_versions_and_nothing_else():
    entries = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in entries if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []
    assert len(entries) > 100
