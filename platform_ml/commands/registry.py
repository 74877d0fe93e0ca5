"""Which registered version is used, and who decided that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.commands.names import every_project

if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction


def register(commands: _SubParsersAction) -> None:
    """Add promote, rollback and history."""
    promote = commands.add_parser("promote", help="make a registered version champion, challenger or archived")
    promote.add_argument("version", metavar="MODEL@VERSION", help="VERSION: a number, or challenger")
    promote.add_argument(
        "--to", metavar="STAGE", default="champion", help="%(default)s (if left out), challenger or archived"
    )
    back = commands.add_parser("rollback", help="make the previous champion the champion again")
    back.add_argument("model", metavar="MODEL", help="its name, also PROJECT/NAME")
    for command, run in ((promote, _promote), (back, _rollback)):
        command.add_argument("--why", required=True, help="the reason, which is kept for good")
        command.set_defaults(run=run)
    history = commands.add_parser("history", help="who promoted which version of a model, when, why and from where")
    history.add_argument("model", metavar="MODEL", help="its name, also PROJECT/NAME")
    history.add_argument("--json", action="store_true", help="for programs, oldest first")
    history.set_defaults(run=_history)


def _promote(options: Namespace) -> int:
    from platform_ml.orchestration.promotion import promote

    return promote(options.version, options.to, why=options.why, projects=every_project())


def _rollback(options: Namespace) -> int:
    from platform_ml.orchestration.promotion import rollback

    return rollback(options.model, why=options.why, projects=every_project())


def _history(options: Namespace) -> int:
    from platform_ml.orchestration.promotion import history

    return history(options.model, projects=every_project(), as_json=options.json)
