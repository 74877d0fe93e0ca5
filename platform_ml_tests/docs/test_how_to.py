"""The how-to pages: their programs run, their files pass the tests that they come with, as they are written."""

import shlex

import pytest

from platform_ml_tests.docs.pages import DOCS, Command, Program, copy, run, steps

PAGES = sorted(path.relative_to(DOCS).as_posix() for path in (DOCS / "how-to").glob("*.md"))
PYTEST = "python -m pytest "


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """One for all pages: what one adds is no hindrance to another."""
    return copy(tmp_path_factory.mktemp("checkout"))


@pytest.mark.parametrize("page", PAGES)
def test_every_step_does_what_the_page_says(page, checkout):
    done = list(steps(page))
    assert done, f"{page} shows nothing that can be executed"
    for step in done:
        if isinstance(step, Program) or not step.text.startswith(PYTEST):
            run(step, checkout)


def test_the_tests_that_come_with_them_pass(checkout):
    asked = [step for page in PAGES for step in steps(page) if isinstance(step, Command)]
    tests = [shlex.split(step.text)[3] for step in asked if step.text.startswith(PYTEST)]
    assert len(tests) >= 4
    for page in PAGES:
        for step in steps(page):
            if isinstance(step, Program) and step.title in tests:
                run(step, checkout)
    options = f"-q -p no:cacheprovider --basetemp={checkout / 'pytest'}"
    run(Command("docs/how-to", f"{PYTEST}{options} {' '.join(tests)}", ("...", "... passed in ...")), checkout)
