"""The tests are the mirror of the tree: a member of an open set has its own test file."""

import re

from platform_ml_tests.architecture.files import PARTS, ROOT, python_files, relative


def test_every_part_has_its_test_file():
    missing = [
        relative(path)
        for folder in PARTS
        for path in python_files(f"platform_ml/{folder}")
        if path.stem in exported(folder) and not (ROOT / "platform_ml_tests" / folder / f"test_{path.name}").is_file()
    ]
    assert missing == []


def exported(folder):
    """The modules whose members a folder exports; the others are what members share, and are tested through them."""
    lines = (ROOT / "platform_ml" / folder / "__init__.py").read_text(encoding="utf-8")
    return re.findall(rf"^from platform_ml\.{folder}\.(\w+) import", lines, re.MULTILINE)


def test_every_part_is_exported():
    assert all(exported(folder) for folder in PARTS)


def test_every_test_of_a_part_has_its_part():
    orphans = [
        relative(path)
        for folder in PARTS
        for path in python_files(f"platform_ml_tests/{folder}")
        if path.name.startswith("test_")
        and not (ROOT / "platform_ml" / folder / path.name.removeprefix("test_")).is_file()
    ]
    assert orphans == []
