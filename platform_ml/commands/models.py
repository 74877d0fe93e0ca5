"""Models: how good they are, what they scored, and their cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.commands.names import every_project, number_of, some_projects, the_project

if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction


def register(commands: _SubParsersAction) -> None:
    """Add models, runs, card, cards, backtest and scores."""
    _tracked(commands)
    _cards(commands)
    backtest = commands.add_parser("backtest", help="how good the models of many cutoffs were on what came next")
    backtest.add_argument("name", metavar="PROJECT/NAME", help="or only PROJECT, for all of its backtests")
    backtest.add_argument(
        "--cutoffs", type=number_of("cutoffs"), metavar="K", help="the last K, instead of those declared"
    )
    backtest.add_argument("--run", dest="make", action="store_true", help="first make what is missing or stale")
    backtest.set_defaults(run=_backtest)
    scores = commands.add_parser("scores", help="which model scored which moment, and whether it would again")
    scores.add_argument("project", metavar="PROJECT", help="its name")
    scores.add_argument("name", nargs="?", metavar="NAME", help="all scores of the project, if left out")
    scores.add_argument("--partition", metavar="KEY", help="only this moment")
    scores.add_argument("--again", action="store_true", help="score again from pinned versions; compare with training")
    scores.set_defaults(run=_scores)


def _tracked(commands: _SubParsersAction) -> None:
    models = commands.add_parser("models", help="models: version, stage, status, dataset, main metric; candidates, too")
    models.add_argument("--project", metavar="PROJECT", help="all, if left out")
    models.set_defaults(run=_models)
    runs = commands.add_parser("runs", help="runs of a project: searches, baselines, ablations")
    runs.add_argument("project", metavar="PROJECT", help="its name")
    runs.add_argument("--metric", default="", help="the best first, by one like test_roc_auc, or roc_auc for short")
    runs.add_argument("--trials", action="store_true", help="also the trials of searches")
    runs.set_defaults(run=_runs)


def _cards(commands: _SubParsersAction) -> None:
    card = commands.add_parser("card", help="the card of a model, in the terminal or as a page")
    card.add_argument("name", metavar="MODEL@VERSION", help="version or alias of the registry, cutoff, digest, latest")
    how = card.add_mutually_exclusive_group()
    how.add_argument("--html", metavar="FILE", help="write the page instead; - is the standard output")
    how.add_argument("--json", action="store_true", help="for programs")
    how.add_argument("--markdown", action="store_true", help="as it was published, with its front matter")
    how.add_argument("--open", action="store_true", help="the page, in the browser")
    card.set_defaults(run=_card)
    cards = commands.add_parser("cards", help="all models with their status, and links to their cards, as a page")
    cards.add_argument("--html", metavar="FILE", help="where to; data/cards/index.html, if left out")
    cards.add_argument("--open", action="store_true", help="in the browser")
    cards.set_defaults(run=_index)


def _models(options: Namespace) -> int:
    from platform_ml.orchestration.tracked import show_models

    return show_models(some_projects(options.project), everything=options.project is None)


def _runs(options: Namespace) -> int:
    from platform_ml.orchestration.tracked import show_runs

    return show_runs(the_project(options.project).name, metric=options.metric, trials=options.trials)


def _card(options: Namespace) -> int:
    from platform_ml.orchestration.card_command import show

    how = {"page": options.html, "data": options.json, "markdown": options.markdown, "browse": options.open}
    return show(options.name, every_project(), **how)


def _index(options: Namespace) -> int:
    from platform_ml.orchestration.card_command import index

    return index(options.html, browse=options.open)


def _backtest(options: Namespace) -> int:
    from platform_ml.orchestration.backtest_command import backtest

    project, _, name = options.name.partition("/")
    return backtest(the_project(project), name or None, cutoffs=options.cutoffs, run=options.make)


def _scores(options: Namespace) -> int:
    from platform_ml.orchestration.scores_command import show_scores

    return show_scores(the_project(options.project), options.name, options.partition, again=options.again)
