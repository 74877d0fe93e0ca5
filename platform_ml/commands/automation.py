"""What runs by itself: what it would do, what it did and why, and what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.commands.names import every_project, some_projects, the_project

if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction


def register(commands: _SubParsersAction) -> None:
    """Add status, backfill, alerts and changed."""
    status = commands.add_parser("status", help="what runs by itself, what it did last and why, what it waits for")
    status.add_argument("project", nargs="?", metavar="PROJECT", help="all, if left out")
    status.set_defaults(run=_status)
    _register_backfill(commands)
    alerts = commands.add_parser("alerts", help="what is wrong and not over yet, and what waits to be sent")
    alerts.add_argument("project", nargs="?", metavar="PROJECT", help="all, if left out")
    alerts.add_argument("--test", action="store_true", help="send a test message to every sink instead")
    alerts.set_defaults(run=_alerts)
    changed = commands.add_parser("changed", help="which assets are declared otherwise than at a commit")
    changed.add_argument("--since", required=True, metavar="REF", help="a branch, tag or hash")
    changed.set_defaults(run=_changed)
    for command in (status, alerts, changed):
        command.add_argument("--json", action="store_true", help="for programs")


def _register_backfill(commands: _SubParsersAction) -> None:
    fill = commands.add_parser("backfill", help="make what is missing or stale, and what it needs; nothing else")
    fill.add_argument("project", metavar="PROJECT", help="its name")
    fill.add_argument("nouns", nargs="*", metavar="NOUN", help="tables or registrations; all tables, if left out")
    fill.add_argument("--stale", action="store_true", help="also what is outdated, not only what is missing")
    fill.add_argument("--now", action="store_true", help="also files that were written a moment ago")
    fill.add_argument("--dry-run", action="store_true", help="only print the plan, and why each partition is stale")
    fill.add_argument("--partition-range", metavar="A...B", help="only these partitions, and what they need")
    fill.add_argument("--limit", type=int, metavar="N", help="at most so many partitions, run here and now")
    fill.add_argument("--queue", action="store_true", help="hand it to the running daemon as one backfill")
    fill.add_argument("--all", action="store_true", help="with --dry-run, every partition")
    fill.add_argument("--json", action="store_true", help="with --dry-run, for programs")
    fill.set_defaults(run=_backfill)


def _status(options: Namespace) -> int:
    from platform_ml.orchestration.status import show_status

    return show_status(some_projects(options.project), as_json=options.json)


def _backfill(options: Namespace) -> int:
    from platform_ml.orchestration.backfill import run

    return run(the_project(options.project), options)


def _alerts(options: Namespace) -> int:
    from platform_ml.orchestration.alerts_command import send_test, show_alerts

    return send_test() if options.test else show_alerts(some_projects(options.project), as_json=options.json)


def _changed(options: Namespace) -> int:
    from platform_ml.orchestration.changed import show_changed

    return show_changed(options.since, every_project(), as_json=options.json)
