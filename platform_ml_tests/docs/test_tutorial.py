"""The tutorial, from its first command to its last, as it is written."""

import pytest

from platform_ml_tests.docs.pages import Command, Program, copy, pattern, run, steps


def test_every_step_does_what_the_page_says(tmp_path):
    checkout = copy(tmp_path)
    done = list(steps("tutorial.md"))
    assert [type(step) for step in done].count(Command) >= 7
    assert [type(step) for step in done].count(Program) >= 2
    for step in done:
        run(step, checkout)


@pytest.mark.parametrize(
    ("said", "told", "fits"),
    [
        (["one", "...", "last"], "one\ntwo\nthree\nlast\n", True),
        (["one", "...", "last"], "one\nlast\n", True),
        (["one", "last"], "one\ntwo\nlast\n", False),
        (["version ..., champion"], "version 7, champion\n", True),
        (["version (7)"], "version 7\n", False),
        (["one"], "one\ntwo\n", False),
        ([], "whatever\nit says\n", True),
    ],
)
def test_what_a_page_says_is_held_against_what_is_said(said, told, fits):
    assert bool(pattern(said).fullmatch(told)) == fits
