"""Every command says what it does, the documentation knows it, and asking for help costs nothing."""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys

import pytest

from platform_ml.cli import GROUPS, parser
from platform_ml_tests.architecture.files import ROOT, python_files
from platform_ml_tests.docs.pages import copy

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
WRITTEN = re.compile(r"platform-ml ([a-z][a-z-]*)([^`\n|]*)")

MODULES = """
import json, sys
from platform_ml.cli import main
try:
    main(["--help"])
except SystemExit as end:
    code = end.code
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def choices(of):
    return next(action for action in of._actions if isinstance(action, argparse._SubParsersAction))


COMMANDS = choices(parser()).choices


def run(arguments, folder):
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_every_file_is_a_group():
    assert {path.stem for path in python_files("platform_ml/commands")} - {"__init__", "names"} == {
        group.__name__.rpartition(".")[2] for group in GROUPS
    }


def test_the_description_of_a_group_names_its_commands():
    for group in GROUPS:
        alone = argparse.ArgumentParser()
        group.register(commands := alone.add_subparsers())
        said = re.findall(r"\b[a-z][a-z-]+", group.register.__doc__)
        assert [word for word in said if word != "and"] == list(commands.choices), group.__name__


def test_every_command_and_argument_has_help():
    shown = choices(parser())._choices_actions
    assert {action.dest: action.help for action in shown}.keys() == COMMANDS.keys()
    said = {action.dest: f"{action.help[0].upper()}{action.help[1:]}." for action in shown}
    assert {name: command.description for name, command in COMMANDS.items()} == said
    silent = [action.dest for action in shown if not action.help]
    silent += [f"{name} {one.dest}" for name, command in COMMANDS.items() for one in command._actions if not one.help]
    assert silent == []


def test_help_is_one_sentence_without_a_stop():
    helps = {action.dest: action.help for action in choices(parser())._choices_actions}
    helps |= {f"{name} {one.dest}": one.help for name, command in COMMANDS.items() for one in command._actions}
    assert [name for name, said in helps.items() if said.endswith(".") or not 4 <= len(said) <= 120] == []


def test_the_documentation_mentions_every_command_and_no_other():
    written = {found[0] for page in PAGES for found in WRITTEN.findall(page.read_text())}
    assert written == COMMANDS.keys()


def test_the_documentation_mentions_only_options_that_there_are():
    wrong = [
        f"{page.relative_to(ROOT)}: platform-ml {name}{rest}"
        for page in PAGES
        for name, rest in WRITTEN.findall(page.read_text())
        for option in re.findall(r"--[a-z-]+", rest.partition(" #")[0])
        if option not in COMMANDS[name]._option_string_actions
    ]
    assert wrong == []


LINES = sorted(
    {
        line.partition(" #")[0].strip()
        for page in PAGES
        for line in re.findall(r"^(?: {4,}|\$ +| +\$ +|)platform-ml .*$", page.read_text(), re.MULTILINE)
    }
)


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_documentation_is_one(line):
    words = shlex.split(line.removeprefix("$").strip())
    assert callable(parser().parse_args(words[1:]).run)


def test_help_reads_no_project_and_nothing_heavy():
    ran = run(["-c", MODULES], ROOT)
    code, modules = json.loads(ran.stderr)
    assert code == 0
    heavy = {"dagster", "duckdb", "jinja2", "mlflow", "numpy", "pandas", "pyarrow", "sklearn", "sqlalchemy", "yaml"}
    assert heavy & set(modules) == set()
    assert [one for one in modules if one.startswith(("platform_ml.projects", "platform_ml.orchestration"))] == []


class TestAWrongFileOfAProject:
    @pytest.fixture(scope="class")
    @classmethod
    def checkout(cls, tmp_path_factory):
        folder = copy(tmp_path_factory.mktemp("checkout"), only=("platform_ml/",))
        (folder / "platform_ml/projects/tills.yaml").write_text("name: tills\ndescription: Tills.\nsource: 3\n")
        return folder

    def test_a_command_says_so_in_one_line(self, checkout):
        ran = run(["-m", "platform_ml.cli", "schema", "retail/transactions"], checkout)
        assert (ran.returncode, ran.stdout) == (1, "")
        where = re.escape(str(checkout / "platform_ml/projects/tills.yaml"))
        assert re.fullmatch(rf"platform-ml: {where}:\d+: .+\n", ran.stderr), ran.stderr

    def test_there_is_help_all_the_same(self, checkout):
        ran = run(["-m", "platform_ml.cli", "land", "--help"], checkout)
        assert (ran.returncode, ran.stderr) == (0, "")
