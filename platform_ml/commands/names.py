"""Words of a command line: projects by name, read when a command runs, and whole numbers."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from platform_ml.spec.errors import PlatformError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from platform_ml.spec.project import Project


def every_project() -> tuple[Project, ...]:
    """All that are declared, in their order."""
    from platform_ml.projects import PROJECTS

    return PROJECTS


def the_project(name: str) -> Project:
    """The one of this name; another name is refused with what there is."""
    known = {project.name: project for project in every_project()}
    if name not in known:
        raise PlatformError(f"There is no project {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}.")
    return known[name]


def some_projects(name: str | None) -> tuple[Project, ...]:
    """The one of this name; all, without a name."""
    return (the_project(name),) if name else every_project()


def number_of(what: str) -> Callable[[str], int]:
    """How a whole number of something is read; anything else is refused."""

    def read(text: str) -> int:
        if not text.isdecimal():
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of {what}")
        return int(text)

    return read
