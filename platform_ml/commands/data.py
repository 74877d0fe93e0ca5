"""Tables and training datasets: what there is, whether it can be made again, and how others get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.commands.names import every_project, number_of, some_projects
from platform_ml.engine.export import ROWS_PER_FILE, formats
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.training_dataset import SPLITS

if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

DATASET = "DATASET@VERSION, by a digest's beginning, a cutoff or latest"


def register(commands: _SubParsersAction) -> None:
    """Add catalog, lineage, diff, reproduce, export and maintain."""
    for one in (_catalog, _lineage, _diff, _reproduce, _export, _maintain):
        one(commands)


def _catalog(commands: _SubParsersAction) -> None:
    catalog = commands.add_parser("catalog", help="what is declared, what there is of it, how good, and who uses it")
    catalog.add_argument("project", nargs="?", metavar="PROJECT", help="all, if left out; also PROJECT/NAME")
    catalog.add_argument("name", nargs="?", metavar="NAME", help="one source, group, label, view, dataset or model")
    catalog.add_argument("--html", metavar="FILE", help="write one page to search instead; - is the standard output")
    catalog.add_argument("--json", metavar="FILE", help="write it for programs instead; - is the standard output")
    catalog.set_defaults(run=_show_catalog)


def _lineage(commands: _SubParsersAction) -> None:
    lineage = commands.add_parser("lineage", help="from a model to every delivered file, and back to every model")
    asked = lineage.add_mutually_exclusive_group(required=True)
    asked.add_argument("model", nargs="?", metavar="MODEL@VERSION", help="down to its files; also @ALIAS, @DIGEST")
    asked.add_argument("--file", metavar="PATH", help="who saw a delivered file; also a path below the landing place")
    asked.add_argument("--partition", metavar="TABLE@KEY", help="who saw a partition of a table")
    lineage.add_argument("--version", type=int, metavar="N", help="of the table: only as the partition was in it")
    lineage.add_argument("--all", action="store_true", help="every file, not only some of each source")
    lineage.add_argument("--json", action="store_true", help="for programs; every file")
    lineage.set_defaults(run=_show_lineage)


def _diff(commands: _SubParsersAction) -> None:
    diff = commands.add_parser("diff", help="compare two published datasets, or two versions of a table")
    diff.add_argument("before", metavar="BEFORE", help=f"{DATASET}; or TABLE@VERSION, a number or latest")
    diff.add_argument("after", metavar="AFTER", help="the same")
    diff.add_argument("--partition", metavar="KEY", help="of a table, only this one")
    diff.add_argument("--json", action="store_true", help="for programs")
    diff.set_defaults(run=_show_diff)


def _reproduce(commands: _SubParsersAction) -> None:
    again = commands.add_parser("reproduce", help="make a dataset or model again and say what differs, and why")
    again.add_argument("name", metavar="NAME@VERSION", help=f"{DATASET}; or MODEL@VERSION, @ALIAS, @DIGEST")
    again.add_argument("--deep", action="store_true", help="also from the pinned sources, in temporary tables")
    again.add_argument("--search", action="store_true", help="of a model, also run every trial of its search again")
    again.set_defaults(run=_make_again)


def _export(commands: _SubParsersAction) -> None:
    export = commands.add_parser("export", help="write a published training dataset as files of another format")
    export.add_argument("dataset", metavar="DATASET@VERSION", help="by a digest's beginning, a cutoff or latest")
    export.add_argument("--format", required=True, metavar="FORMAT", help="one of: " + ", ".join(formats()))
    export.add_argument("--to", required=True, metavar="FOLDER", help="one that is not there yet")
    export.add_argument("--split", action="append", choices=SPLITS, help="may be repeated; all, if left out")
    export.add_argument(
        "--rows-per-file", type=int, metavar="N", default=ROWS_PER_FILE, help="at most; %(default)s, if left out"
    )
    export.add_argument("--dvc", action="store_true", help="also a .dvc file beside the folder, and DVC's cache")
    export.add_argument("--project", metavar="PROJECT", help="where to look for the dataset; all, if left out")
    export.set_defaults(run=_write_export)


def _maintain(commands: _SubParsersAction) -> None:
    maintain = commands.add_parser("maintain", help="sweep, compact and vacuum tables; keeps what datasets pin")
    maintain.add_argument("--project", metavar="PROJECT", help="all, if left out")
    maintain.add_argument("--dry-run", action="store_true", help="only say what would be done")
    maintain.add_argument(
        "--keep-days",
        type=number_of("days"),
        metavar="N",
        default=7,
        help="keep versions that were replaced in the last N days; %(default)s, if left out",
    )
    maintain.set_defaults(run=_tidy)


def _show_catalog(options: Namespace) -> int:
    from platform_ml.orchestration.catalog_command import show

    project, _, name = (options.project or "").partition("/")
    return show(some_projects(project or None), options.name or name or None, page=options.html, data=options.json)


def _show_lineage(options: Namespace) -> int:
    from platform_ml.orchestration import lineage_command as lineage

    if options.version is not None and not options.partition:
        raise PlatformError("--version is that of a table. Name a --partition, or write MODEL@VERSION.")
    projects = every_project()
    if options.file:
        return lineage.lineage_of_file(options.file, projects, as_json=options.json)
    if options.partition:
        return lineage.lineage_of_partition(options.partition, projects, version=options.version, as_json=options.json)
    return lineage.lineage_of_model(options.model, projects, everything=options.all, as_json=options.json)


def _show_diff(options: Namespace) -> int:
    from platform_ml.orchestration.diff import diff

    return diff(options.before, options.after, every_project(), as_json=options.json, partition=options.partition)


def _make_again(options: Namespace) -> int:
    from platform_ml.orchestration.reproduce import reproduce

    return reproduce(options.name, every_project(), deep=options.deep, search=options.search)


def _write_export(options: Namespace) -> int:
    from platform_ml.orchestration.export import export_dataset

    return export_dataset(
        options.dataset,
        some_projects(options.project),
        form=options.format,
        to=options.to,
        splits=[split for split in SPLITS if split in (options.split or SPLITS)],
        rows_per_file=options.rows_per_file,
        dvc=options.dvc,
    )


def _tidy(options: Namespace) -> int:
    from platform_ml.orchestration.maintain import maintain

    return maintain(some_projects(options.project), keep_days=options.keep_days, dry_run=options.dry_run)
