"""What was delivered and what of it was let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.commands.names import every_project, some_projects, the_project
from platform_ml.spec.errors import PlatformError, did_you_mean

if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction


def register(commands: _SubParsersAction) -> None:
    """Add arrivals, rejected, replay and schema."""
    arrivals = commands.add_parser("arrivals", help="what was delivered, what of it is loaded, what belongs nowhere")
    arrivals.add_argument("project", metavar="PROJECT", help="its name")
    arrivals.add_argument("source", nargs="?", metavar="SOURCE", help="all, if left out")
    arrivals.add_argument("--all", action="store_true", help="every partition, also those that are up to date")
    arrivals.add_argument("--json", action="store_true", help="for programs")
    arrivals.set_defaults(run=_arrivals)
    rejected = commands.add_parser("rejected", help="rows and files that were not let in, with reasons")
    rejected.add_argument("source", nargs="?", metavar="SOURCE", help="all, if left out")
    rejected.set_defaults(run=_rejected)
    replay = commands.add_parser("replay", help="let rejected rows in that were fixed, as a new version")
    replay.add_argument("source", metavar="SOURCE", help="whose rows")
    replay.add_argument("--fixes", metavar="FILE", help=".csv or .jsonl: row_number and the source's columns")
    replay.set_defaults(run=_replay)
    for command in (rejected, replay):
        command.add_argument("--project", metavar="PROJECT", help="where to look for the source; all, if left out")
        command.add_argument("--partition", metavar="KEY", help="only this one")
    schema = commands.add_parser("schema", help="print the pandera schema of a source, feature group or label")
    schema.add_argument("table", metavar="PROJECT/NAME", help="of the source, feature group or label")
    schema.add_argument("--format", choices=("yaml", "json"), default="yaml", help="%(default)s, if left out")
    schema.set_defaults(run=_schema)


def _arrivals(options: Namespace) -> int:
    from platform_ml.orchestration.arrivals import arrivals

    return arrivals(the_project(options.project), options.source, everything=options.all, as_json=options.json)


def _rejected(options: Namespace) -> int:
    from platform_ml.orchestration.rejected import rejected

    return rejected(some_projects(options.project), options.source, options.partition)


def _replay(options: Namespace) -> int:
    from platform_ml.orchestration.rejected import replay

    return replay(some_projects(options.project), options.source, options.partition, options.fixes)


def _schema(options: Namespace) -> int:
    from platform_ml.engine.schema import pandera_table
    from platform_ml.spec.event_label import EventLabel
    from platform_ml.spec.feature_group import FeatureGroup
    from platform_ml.spec.label import Label
    from platform_ml.spec.source import Source

    kinds = (Source, FeatureGroup, Label, EventLabel)
    tables = {
        f"{one.name}/{noun.name}": noun for one in every_project() for noun in one.nouns if isinstance(noun, kinds)
    }
    if options.table not in tables:
        raise PlatformError(f"There is no table {options.table!r}.{did_you_mean(options.table, tables)}")
    schema = pandera_table(tables[options.table])
    print(str(schema.to_yaml() if options.format == "yaml" else schema.to_json()).strip())
    return 0
