"""The tests are the mirror of the tree: a member of an open set has its own test file."""

from platform_ml_tests.architecture.files import PARTS, ROOT, python_files, relative


def test_every_part_has_its_test_file():
    missing = [
        relative(path)
        for folder in PARTS
        for path in python_files(f"platform_ml/{folder}")
        if path.name != "__init__.py" and not (ROOT / "platform_ml_tests" / folder / f"test_{path.name}").is_file()
    ]
    assert missing == []


def test_every_test_of_a_part_has_its_part():
    orphans = [
        relative(path)
        for folder in PARTS
        for path in python_files(f"platform_ml_tests/{folder}")
        if path.name.startswith("test_")
        and not (ROOT / "platform_ml" / folder / path.name.removeprefix("test_")).is_file()
    ]
    assert orphans == []
