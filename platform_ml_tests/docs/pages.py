"""Runs a page of the documentation as it is written, in a copy of the checkout.

* A `console` block: each line that begins with `$` is a command, the lines below it are what it says. A line `...`
  stands for any lines, `...` in a line for any text.
* A `python` block is a program. A block with `title="path"` is a file that is written to the checkout.
* `<!-- fails -->` before a block says that its commands fail. Other blocks are not executed.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from platform_ml_tests.architecture.files import ROOT, tracked

DOCS = ROOT / "docs"
SCRIPTS = Path(sys.executable).parent
CODE = (
    "platform_ml/",
    "platform_ml_tests/conftest.py",
    "platform_ml_tests/projects/",
    "pyproject.toml",
    "dagster.yaml",
)
FAILS = "<!-- fails -->"


@dataclass(frozen=True)
class Command:
    """A command of a page, and what the page says that it says."""

    where: str
    text: str
    said: tuple[str, ...]
    fails: bool = False


@dataclass(frozen=True)
class Program:
    """A block of Python, or, with a title, a file."""

    where: str
    text: str
    title: str


def steps(page):
    """The blocks of a page that mean something, in order."""
    failing = False
    for token in MarkdownIt().parse((DOCS / page).read_text()):
        if token.type == "html_block":
            failing = token.content.strip() == FAILS
        if token.type != "fence":
            continue
        language, _, rest = token.info.partition(" ")
        where = f"docs/{page}:{token.map[0] + 1}"
        title = re.search(r'title="([^"]+)"', rest)
        if title or language == "python":
            yield Program(where, token.content, title[1] if title else "")
        if language == "console":
            yield from commands(token.content, where, fails=failing)
        failing = False


def commands(text, where, *, fails):
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *said = part.rstrip("\n").split("\n")
        yield Command(where, command, tuple(said), fails)


def pattern(said):
    """What a command may say, as a regular expression."""
    lines = [r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\s*\n" for line in said]
    return re.compile("".join(lines) or r"(?:.*\n)*")


def copy(folder, only=CODE):
    """A copy of the checkout: what git has, or would take, of these."""
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(only):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, folder / name)
    return folder


def environment(checkout):
    """Of a command that stands in a checkout, which may keep its bytecode: otherwise each compiles everything anew."""
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join([str(SCRIPTS), os.environ["PATH"]])
    own = {"PATH": path, "PYTHONPATH": str(checkout), "DAGSTER_HOME": str(checkout), "COLUMNS": "120"}
    return given | own | {"PLATFORM_ML_EXECUTOR": "in_process"}


def run(step, checkout):
    """Do what a block says; an `AssertionError` says where the page is wrong."""
    if isinstance(step, Program) and step.title:
        file = checkout / step.title
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(step.text)
        return
    command = [sys.executable, "-c", step.text] if isinstance(step, Program) else ["bash", "-c", step.text]
    ran = subprocess.run(
        command,
        cwd=checkout,
        env=environment(checkout),
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    fails = isinstance(step, Command) and step.fails
    assert (ran.returncode != 0) == fails, f"{step.where}: {step.text}\n{ran.stdout}"
    if isinstance(step, Command):
        told = ran.stdout if ran.stdout.endswith("\n") else f"{ran.stdout}\n"
        assert pattern(step.said).fullmatch(told), f"{step.where}: {step.text}\n{ran.stdout}"
