"""`platform-ml backtest`: the metrics of many cutoffs as a table; with --run the missing models are made first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from platform_ml.engine.backtest import cutoffs_of, walk
from platform_ml.engine.walk import standing
from platform_ml.orchestration.demo import run_dagster
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.backtest import Backtest
from platform_ml.spec.errors import PlatformError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from platform_ml.engine.backtest import Point, Walk
    from platform_ml.engine.platform import Work
    from platform_ml.spec.evaluation import Estimate
    from platform_ml.spec.project import Project


def backtest(
    project: Project,
    name: str | None,
    *,
    cutoffs: int | None = None,
    run: bool = False,
    materialize: Callable[..., int] = run_dagster,
) -> int:
    """Print each backtest of a project, or the one of this name.

    Args:
        project: where it is declared.
        name: of the backtest; None: all of them.
        cutoffs: look at the last so many instead of those that are declared; nothing is published then.
        run: train and evaluate first what is missing or stale, one cutoff after the other, oldest first. What is
            current is kept, so after a kill it goes on where it was. Nothing is registered.
        materialize: runs assets for a partition and says whether that failed.

    Returns:
        0, or 1 when a run failed or the metric got worse over time.
    """
    work, failed = PlatformResource().work(project.name, lambda _: None), False
    for declared in _named(project, name):
        wanted = declared if cutoffs is None else replace(declared, cutoffs=cutoffs)
        if run:
            failed |= _run(wanted, work, materialize)
            if cutoffs is None:
                materialize([work.table(wanted)], check=False)  # its check may be red: the table says why
        found = walk(wanted, work=work)
        _show(found, work)
        failed |= not found.finding.passed
    return int(failed)


def _named(project: Project, name: str | None) -> Sequence[Backtest]:
    there = {one.name: one for one in project.all(Backtest)}
    if name is not None and name not in there:
        raise PlatformError(f"{project.name} has no backtest {name!r}.{did_you_mean(name, there)}")
    if not there:
        raise PlatformError(f"{project.name} declares no backtest. Add Backtest(of=...) to its outputs.")
    return [there[name]] if name else list(there.values())


def _run(wanted: Backtest, work: Work, materialize: Callable[..., int]) -> bool:
    """Whether a cutoff failed; the others are made all the same."""
    failed = False
    for cutoff in cutoffs_of(wanted):
        todo = standing(wanted.evaluation, cutoff, work=work).todo
        if todo:
            failed |= bool(materialize([work.table(step) for step in todo], partition=cutoff, check=False))
    return failed


def _show(found: Walk, work: Work) -> None:
    evaluation = found.backtest.evaluation
    metric, rivals = evaluation.metrics[0], [baseline.name for baseline in evaluation.model.baselines]
    titles = ["test rows", *(one.title for one in evaluation.metrics), *(f"{metric.title}, {name}" for name in rivals)]
    rows = [_numbers(point, found, rivals) or [""] * len(titles) for point in found.points]
    widths = [2 + max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    print(f"{work.table(found.backtest)}, {evaluation.model.name} on what came after each cutoff")
    print(f"{'cutoff':<10}{_row(titles, widths)}  state")
    for point, row in zip(found.points, rows, strict=True):
        print(f"{point.cutoff:<10}{_row(row, widths)}  {_state(point)}")
    if not found.points:
        print("There is no cutoff yet that has rows to train on and outcomes that are known.")
    print(found.finding.reason)


def _row(texts: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"{text:>{width}}" for text, width in zip(texts, widths, strict=True))


def _numbers(point: Point, found: Walk, rivals: Sequence[str]) -> list[str]:
    """Test rows, metrics, and the first of them of every rival; nothing where no model was judged."""
    result, metrics = point.standing.result, found.backtest.evaluation.metrics
    if result is None:
        return []
    beside = [result.baselines[name].metrics.get(found.metric) if name in result.baselines else None for name in rivals]
    said = [_said(one) for one in (*(result.test(metric.name) for metric in metrics), *beside)]
    return [f"{result.splits['test'].rows:,}", *said]


def _said(estimate: Estimate | None) -> str:
    return "-" if estimate is None else str(estimate)


def _state(point: Point) -> str:
    gates = f", refused by {', '.join(point.stopped)}" if point.stopped else ", gates passed" if point.verdicts else ""
    why = f": {point.standing.why}" if point.standing.why else ""
    return f"{point.standing.state}{gates}{why}"
