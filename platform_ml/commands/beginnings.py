"""A project from nothing: written, delivered, trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.commands.names import every_project, the_project

if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

EXAMPLE = "retail"


def register(commands: _SubParsersAction) -> None:
    """Add new-project, land and demo."""
    new = commands.add_parser("new-project", help="write a project that passes its tests, from invented rows or a CSV")
    new.add_argument("name", metavar="NAME", help="lower_snake_case")
    new.add_argument("--from", dest="file", type=Path, metavar="FILE.csv", help="rows of events, with a header")
    new.add_argument("--owner", help="an e-mail address or team:NAME; team:NAME of the project, if left out")
    new.add_argument("--key", metavar="COLUMN[,COLUMN]", help="what tells rows apart; found, if there is one answer")
    new.add_argument("--entity", metavar="COLUMN", help="of whom is predicted; found, if there is one answer")
    new.add_argument("--event-time", metavar="COLUMN", help="when it happened; found, if there is one answer")
    new.set_defaults(run=_new_project)
    land = commands.add_parser("land", help="deliver a project's example data to data/landing, file by file")
    land.add_argument("--from", dest="export", type=Path, metavar="FOLDER", help="an export: one file for each source")
    land.set_defaults(run=_land)
    demo = commands.add_parser("demo", help="land, materialize and register one project; does only what is needed")
    demo.set_defaults(run=_demo)
    for command in (land, demo):
        command.add_argument("--project", metavar="PROJECT", default=EXAMPLE, help="%(default)s, if left out")


def _new_project(options: Namespace) -> int:
    from platform_ml.engine.proposal import Asked
    from platform_ml.orchestration.new_project import new_project

    key = tuple(options.key.split(",")) if options.key else None
    asked = Asked(key=key, entity=options.entity, event_time=options.event_time)
    return new_project(options.name, owner=options.owner, file=options.file, asked=asked, projects=every_project())


def _land(options: Namespace) -> int:
    from platform_ml.orchestration.demo import land

    land(the_project(options.project), options.export)
    return 0


def _demo(options: Namespace) -> int:
    from platform_ml.orchestration.demo import demo

    return demo(the_project(options.project))
