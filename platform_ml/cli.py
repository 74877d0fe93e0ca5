"""The few commands that Dagster's own command line does not have."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from platform_ml.engine.export import ROWS_PER_FILE, formats
from platform_ml.projects import PROJECTS
from platform_ml.spec.errors import PlatformError, did_you_mean
from platform_ml.spec.training_dataset import SPLITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.project import Project

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; errors that the platform foresees are one line, not a stack."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("DAGSTER_HOME", str(ROOT))
    try:
        return int(options.run(options))
    except PlatformError as error:
        print(f"platform-ml: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains again when it ends
        return 1
    except KeyboardInterrupt:
        print("platform-ml: stopped. What was committed stays; run it again to go on.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="platform-ml", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    land = commands.add_parser("land", help="deliver a project's example data to data/landing, file by file")
    land.add_argument("--from", dest="export", type=Path, metavar="FOLDER", help="an export: one file for each source")
    demo = commands.add_parser("demo", help="land, materialize and register one project; does only what is needed")
    ui = commands.add_parser("ui", help="Dagster's webserver and daemon, and how to open MLflow's")
    for command in (land, demo):
        command.add_argument(
            "--project", default=PROJECTS[0].name, help="one of: " + ", ".join(p.name for p in PROJECTS)
        )
    ui.add_argument("--port", type=int, default=3000)
    export = commands.add_parser("export", help="write a published training dataset as files of another format")
    export.add_argument("dataset", metavar="DATASET@VERSION", help="VERSION: a digest's beginning, a cutoff, or latest")
    export.add_argument("--format", required=True, help="one of: " + ", ".join(formats()))
    export.add_argument("--to", required=True, help="a folder that is not there yet")
    export.add_argument("--split", action="append", choices=SPLITS, help="may be repeated; all, if left out")
    export.add_argument("--rows-per-file", type=int, default=ROWS_PER_FILE, help="at most; %(default)s, if left out")
    export.add_argument("--dvc", action="store_true", help="also a .dvc file beside the folder, and DVC's cache")
    export.add_argument("--project", help="where to look for the dataset; everywhere, if left out")
    for command, run in ((land, _land), (demo, _demo), (ui, _ui), (export, _export)):
        command.set_defaults(run=run)
    _new_project(commands)
    _datasets(commands)
    _quarantine(commands)
    _catalog(commands)
    _cards(commands)
    _arrivals(commands)
    _backfill(commands)
    _tracking(commands)
    _scores(commands)
    _lineage(commands)
    _promotion(commands)
    _alerts(commands)
    daemon = commands.add_parser("daemon", help="Dagster's daemon, one at a time: a second one waits for its turn")
    daemon.add_argument("-w", "--workspace", default=str(ROOT / "workspace.yaml"))
    daemon.set_defaults(run=_daemon)
    _backtests(commands)
    _status(commands)
    return parser


def _new_project(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    new = commands.add_parser("new-project", help="write a project that passes its tests, from invented rows or a CSV")
    new.add_argument("name", metavar="NAME", help="lower_snake_case")
    new.add_argument("--from", dest="file", type=Path, metavar="FILE.csv", help="rows of events, with a header")
    new.add_argument("--owner", help="an e-mail address or team:NAME; team:NAME of the project, if left out")
    new.add_argument("--key", metavar="COLUMN[,COLUMN]", help="what tells rows apart; found, if there is one answer")
    new.add_argument("--entity", metavar="COLUMN", help="of whom is predicted; found, if there is one answer")
    new.add_argument("--event-time", metavar="COLUMN", help="when it happened; found, if there is one answer")
    new.set_defaults(run=_start_project)


def _datasets(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    version = "DATASET@VERSION: name or project/name @ beginning of a digest, a cutoff, or latest"
    again = commands.add_parser("reproduce", help="make a dataset or model again and say what differs, and why")
    again.add_argument(
        "name", metavar="NAME@VERSION", help=f"{version}; or a model: MODEL@VERSION, MODEL@ALIAS, MODEL@DIGEST"
    )
    again.add_argument("--deep", action="store_true", help="also from the pinned sources, in temporary tables")
    again.add_argument("--search", action="store_true", help="of a model, also run every trial of its search again")
    again.set_defaults(run=_reproduce)
    diff = commands.add_parser("diff", help="compare two published datasets, or two versions of a table")
    diff.add_argument("before", metavar="BEFORE", help=f"{version}; or TABLE@VERSION: a number, or latest")
    diff.add_argument("after", metavar="AFTER", help="the same")
    diff.add_argument("--partition", metavar="KEY", help="of a table, only this one")
    diff.add_argument("--json", action="store_true", help="for programs")
    diff.set_defaults(run=_diff)
    schema = commands.add_parser("schema", help="print the pandera schema of a source, feature group or label")
    schema.add_argument("table", metavar="PROJECT/NAME")
    schema.add_argument("--format", choices=("yaml", "json"), default="yaml")
    schema.set_defaults(run=_schema)
    maintain = commands.add_parser("maintain", help="sweep, compact and vacuum tables; keeps what datasets pin")
    maintain.add_argument("--project", help="one of: " + ", ".join(p.name for p in PROJECTS) + "; all if not given")
    maintain.add_argument("--dry-run", action="store_true", help="only say what would be done")
    maintain.add_argument("--keep-days", type=_days, default=7, help="keep versions replaced in the last days (7)")
    maintain.set_defaults(run=_maintain)


def _quarantine(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    rejected = commands.add_parser("rejected", help="rows and files that were not let in, with reasons")
    rejected.add_argument("source", nargs="?", metavar="SOURCE", help="all, if left out")
    rejected.set_defaults(run=_rejected)
    replay = commands.add_parser("replay", help="let rejected rows in that were fixed, as a new version")
    replay.add_argument("source", metavar="SOURCE")
    replay.add_argument("--fixes", metavar="FILE", help=".csv or .jsonl: row_number and the source's columns")
    replay.set_defaults(run=_replay)
    for command in (rejected, replay):
        command.add_argument("--project", help="one of: " + ", ".join(p.name for p in PROJECTS))
        command.add_argument("--partition", metavar="KEY")


def _catalog(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    catalog = commands.add_parser("catalog", help="what is declared, what there is of it, how good, and who uses it")
    catalog.add_argument("project", nargs="?", metavar="PROJECT", help="all, if left out")
    catalog.add_argument("name", nargs="?", metavar="NAME", help="one source, group, label, view, dataset or model")
    catalog.add_argument("--html", metavar="FILE", help="write one page to search instead; - is the standard output")
    catalog.add_argument("--json", metavar="FILE", help="write it for programs instead; - is the standard output")
    catalog.set_defaults(run=_show_catalog)


def _scores(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    scores = commands.add_parser("scores", help="which model scored which moment, and whether it would again")
    scores.add_argument("project", metavar="PROJECT", help="one of: " + ", ".join(p.name for p in PROJECTS))
    scores.add_argument("name", nargs="?", metavar="NAME", help="all scores of the project, if left out")
    scores.add_argument("--partition", metavar="KEY", help="only this moment")
    scores.add_argument("--again", action="store_true", help="score again from pinned versions; compare with training")
    scores.set_defaults(run=_show_scores)


def _cards(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    card = commands.add_parser("card", help="the card of a model, in the terminal or as a page")
    card.add_argument("name", metavar="MODEL@VERSION", help="version or alias of the registry, cutoff, digest, latest")
    how = card.add_mutually_exclusive_group()
    how.add_argument("--html", metavar="FILE", help="write the page instead; - is the standard output")
    how.add_argument("--json", action="store_true", help="for programs")
    how.add_argument("--markdown", action="store_true", help="as it was published, with its front matter")
    how.add_argument("--open", action="store_true", help="the page, in the browser")
    card.set_defaults(run=_show_card)
    cards = commands.add_parser("cards", help="all models with their status, and links to their cards, as a page")
    cards.add_argument("--html", metavar="FILE", help="where to; data/cards/index.html, if left out")
    cards.add_argument("--open", action="store_true", help="in the browser")
    cards.set_defaults(run=_list_cards)


def _arrivals(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    arrivals = commands.add_parser("arrivals", help="what was delivered, what of it is loaded, what belongs nowhere")
    arrivals.add_argument("project", metavar="PROJECT", help="one of: " + ", ".join(p.name for p in PROJECTS))
    arrivals.add_argument("source", nargs="?", metavar="SOURCE", help="all, if left out")
    arrivals.add_argument("--all", action="store_true", help="every partition, also those that are up to date")
    arrivals.add_argument("--json", action="store_true", help="for programs")
    arrivals.set_defaults(run=_look)


def _backfill(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    fill = commands.add_parser("backfill", help="make what is missing or stale, and what it needs; nothing else")
    fill.add_argument("project", metavar="PROJECT", help="one of: " + ", ".join(p.name for p in PROJECTS))
    fill.add_argument("nouns", nargs="*", metavar="NOUN", help="tables or registrations; all tables, if left out")
    fill.add_argument("--stale", action="store_true", help="also what is outdated, not only what is missing")
    fill.add_argument("--dry-run", action="store_true", help="only print the plan, and why each partition is stale")
    fill.add_argument("--partition-range", metavar="A...B", help="only these partitions, and what they need")
    fill.add_argument("--limit", type=int, metavar="N", help="at most so many partitions, in process order")
    fill.add_argument("--queue", action="store_true", help="hand it to the running daemon as one backfill")
    fill.add_argument("--all", action="store_true", help="with --dry-run, every partition")
    fill.add_argument("--json", action="store_true", help="with --dry-run, for programs")
    fill.set_defaults(run=_fill)


def _tracking(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    models = commands.add_parser("models", help="models: version, stage, status, dataset, main metric; candidates, too")
    models.add_argument("--project", help="one of: " + ", ".join(p.name for p in PROJECTS) + "; all if not given")
    models.set_defaults(run=_models)
    runs = commands.add_parser("runs", help="runs of a project: searches, baselines, ablations")
    runs.add_argument("project", metavar="PROJECT", help="one of: " + ", ".join(p.name for p in PROJECTS))
    runs.add_argument(
        "--metric", default="", help="the best first, by a metric like test_roc_auc, or roc_auc for short"
    )
    runs.add_argument("--trials", action="store_true", help="also the trials of searches")
    runs.set_defaults(run=_runs)
    tracking = commands.add_parser("tracking", help="send runs that were kept while MLflow was down")
    tracking.set_defaults(run=_send_kept)


def _lineage(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    lineage = commands.add_parser("lineage", help="from a model to every delivered file, and back to every model")
    asked = lineage.add_mutually_exclusive_group(required=True)
    asked.add_argument("model", nargs="?", metavar="MODEL@VERSION", help="down to its files; also @ALIAS, @DIGEST")
    asked.add_argument("--file", metavar="PATH", help="who saw a delivered file; also a path below the landing place")
    asked.add_argument("--partition", metavar="TABLE@KEY", help="who saw a partition of a table")
    lineage.add_argument("--version", type=int, metavar="N", help="of the table: only as the partition was in it")
    lineage.add_argument("--all", action="store_true", help="every file, not only some of each source")
    lineage.add_argument("--json", action="store_true", help="for programs; every file")
    lineage.set_defaults(run=_show_lineage)


def _promotion(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    promote = commands.add_parser("promote", help="make a registered version champion, challenger or archived")
    promote.add_argument("version", metavar="MODEL@VERSION", help="VERSION: a number, or challenger")
    promote.add_argument("--to", default="champion", help="champion (if left out), challenger or archived")
    back = commands.add_parser("rollback", help="make the previous champion the champion again")
    back.add_argument("model", metavar="MODEL")
    for command, run in ((promote, _promote), (back, _rollback)):
        command.add_argument("--why", required=True, help="the reason, which is kept for good")
        command.set_defaults(run=run)
    history = commands.add_parser("history", help="who promoted which version of a model, when, why and from where")
    history.add_argument("model", metavar="MODEL")
    history.add_argument("--json", action="store_true", help="for programs, oldest first")
    history.set_defaults(run=_history)


def _alerts(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    alerts = commands.add_parser("alerts", help="what is wrong and not over yet, and what waits to be sent")
    alerts.add_argument("project", nargs="?", metavar="PROJECT", help="all, if left out")
    alerts.add_argument("--test", action="store_true", help="send a test message to every sink instead")
    changed = commands.add_parser("changed", help="which assets are declared otherwise than at a commit")
    changed.add_argument("--since", required=True, metavar="REF", help="a branch, tag or hash")
    for command, run in ((alerts, _show_alerts), (changed, _show_changed)):
        command.add_argument("--json", action="store_true", help="for programs")
        command.set_defaults(run=run)


def _backtests(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    backtest = commands.add_parser("backtest", help="how good the models of many cutoffs were on what came next")
    backtest.add_argument("name", metavar="PROJECT/NAME", help="or only PROJECT, for all of its backtests")
    backtest.add_argument("--cutoffs", type=_days, metavar="K", help="the last K, instead of those that are declared")
    backtest.add_argument("--run", dest="make", action="store_true", help="first make what is missing or stale")
    backtest.set_defaults(run=_show_backtest)


def _status(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    status = commands.add_parser("status", help="what runs by itself, what it did last and why, what it waits for")
    status.add_argument("project", nargs="?", metavar="PROJECT", help="all, if left out")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=_show_status)


def _days(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days")
    return int(text)


def _project(name: str) -> Project:
    known = {project.name: project for project in PROJECTS}
    if name not in known:
        raise PlatformError(f"There is no project {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}.")
    return known[name]


def _start_project(options: argparse.Namespace) -> int:
    from platform_ml.engine.proposal import Asked
    from platform_ml.orchestration.new_project import new_project

    key = tuple(options.key.split(",")) if options.key else None
    asked = Asked(key=key, entity=options.entity, event_time=options.event_time)
    return new_project(options.name, owner=options.owner, file=options.file, asked=asked, projects=PROJECTS)


def _land(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.demo import land

    land(_project(options.project), options.export)
    return 0


def _demo(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.demo import demo

    return demo(_project(options.project))


def _ui(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.ui import serve

    return serve(options.port)


def _daemon(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.daemon import run_daemon

    return run_daemon(["-w", options.workspace])


def _export(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.export import export_dataset

    return export_dataset(
        options.dataset,
        PROJECTS if options.project is None else [_project(options.project)],
        form=options.format,
        to=options.to,
        splits=[split for split in SPLITS if split in (options.split or SPLITS)],
        rows_per_file=options.rows_per_file,
        dvc=options.dvc,
    )


def _reproduce(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.reproduce import reproduce

    return reproduce(options.name, PROJECTS, deep=options.deep, search=options.search)


def _diff(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.diff import diff

    return diff(options.before, options.after, PROJECTS, as_json=options.json, partition=options.partition)


def _schema(options: argparse.Namespace) -> int:
    from platform_ml.engine.schema import pandera_table
    from platform_ml.spec.event_label import EventLabel
    from platform_ml.spec.feature_group import FeatureGroup
    from platform_ml.spec.label import Label
    from platform_ml.spec.source import Source

    kinds = (Source, FeatureGroup, Label, EventLabel)
    tables = {f"{one.name}/{noun.name}": noun for one in PROJECTS for noun in one.nouns if isinstance(noun, kinds)}
    if options.table not in tables:
        raise PlatformError(f"There is no table {options.table!r}.{did_you_mean(options.table, tables)}")
    schema = pandera_table(tables[options.table])
    print(str(schema.to_yaml() if options.format == "yaml" else schema.to_json()).strip())
    return 0


def _maintain(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.maintain import maintain

    projects = [_project(options.project)] if options.project else PROJECTS
    return maintain(projects, keep_days=options.keep_days, dry_run=options.dry_run)


def _rejected(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.rejected import rejected

    return rejected(_some(options.project), options.source, options.partition)


def _replay(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.rejected import replay

    return replay(_some(options.project), options.source, options.partition, options.fixes)


def _show_catalog(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.catalog_command import show

    project, _, name = (options.project or "").partition("/")
    return show(_some(project or None), options.name or name or None, page=options.html, data=options.json)


def _show_card(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.card_command import show

    return show(
        options.name, PROJECTS, page=options.html, data=options.json, markdown=options.markdown, browse=options.open
    )


def _list_cards(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.card_command import index

    return index(options.html, browse=options.open)


def _look(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.arrivals import arrivals

    return arrivals(_project(options.project), options.source, everything=options.all, as_json=options.json)


def _fill(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.backfill import run

    return run(_project(options.project), options)


def _show_scores(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.scores_command import show_scores

    return show_scores(_project(options.project), options.name, options.partition, again=options.again)


def _models(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.tracked import show_models

    return show_models(_some(options.project), everything=options.project is None)


def _runs(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.tracked import show_runs

    return show_runs(_project(options.project).name, metric=options.metric, trials=options.trials)


def _send_kept(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.tracked import send_kept

    return send_kept()


def _show_lineage(options: argparse.Namespace) -> int:
    from platform_ml.orchestration import lineage_command as lineage

    if options.version is not None and not options.partition:
        raise PlatformError("--version is that of a table. Name a --partition, or write MODEL@VERSION.")
    if options.file:
        return lineage.lineage_of_file(options.file, PROJECTS, as_json=options.json)
    if options.partition:
        return lineage.lineage_of_partition(options.partition, PROJECTS, version=options.version, as_json=options.json)
    return lineage.lineage_of_model(options.model, PROJECTS, everything=options.all, as_json=options.json)


def _promote(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.promotion import promote

    return promote(options.version, options.to, why=options.why, projects=PROJECTS)


def _rollback(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.promotion import rollback

    return rollback(options.model, why=options.why, projects=PROJECTS)


def _history(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.promotion import history

    return history(options.model, projects=PROJECTS, as_json=options.json)


def _show_alerts(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.alerts_command import send_test, show_alerts

    return send_test() if options.test else show_alerts(_some(options.project), as_json=options.json)


def _show_changed(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.changed import show_changed

    return show_changed(options.since, PROJECTS, as_json=options.json)


def _show_backtest(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.backtest_command import backtest

    project, _, name = options.name.partition("/")
    return backtest(_project(project), name or None, cutoffs=options.cutoffs, run=options.make)


def _show_status(options: argparse.Namespace) -> int:
    from platform_ml.orchestration.status import show_status

    return show_status(_some(options.project), as_json=options.json)


def _some(name: str | None) -> Sequence[Project]:
    return [_project(name)] if name else PROJECTS


if __name__ == "__main__":
    sys.exit(main())
