"""Backtests: the metrics of many cutoffs side by side, published as numbers, a plot and a page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from platform_ml.engine.audit import Check, Finding
from platform_ml.engine.backtest_page import html, markdown, plot
from platform_ml.engine.dataset_checks import KIND as DATASETS
from platform_ml.engine.ports import WHOLE
from platform_ml.engine.simulated import simulated_behind
from platform_ml.engine.trend import Trend, trend
from platform_ml.engine.walk import Standing, State, is_known, standing
from platform_ml.spec.fingerprint import digest, fingerprint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.backtest import Backtest
    from platform_ml.spec.evaluation import Slice
    from platform_ml.spec.gate import Verdict

KIND, DATA, PAGE, TEXT, PLOT = "backtests", "backtest.json", "backtest.html", "README.md", "plot.svg"
"""The kind of artifact, and its files."""
COMPARABLE = (State.CURRENT, State.STALE)
"""What the trend goes through: another declaration asks another question."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """One cutoff of a backtest."""

    cutoff: str
    standing: Standing
    verdicts: tuple[Verdict, ...] = ()
    """Of the gates, today; empty without a registration, and where there are no numbers."""

    @property
    def stopped(self) -> list[str]:
        """The gates that would let its model not be registered."""
        return [verdict.gate for verdict in self.verdicts if verdict.stops]


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Everything that a backtest found."""

    backtest: Backtest
    points: tuple[Point, ...]
    """Oldest cutoff first."""
    trend: Trend
    simulated: str = ""
    """Which sources of the newest measured model a simulator wrote, in a sentence; empty: none."""

    @property
    def metric(self) -> str:
        """The name of the metric that the trend is of."""
        return self.backtest.evaluation.metrics[0].name

    def count(self, *states: State) -> int:
        """How many cutoffs are in one of these states."""
        return sum(point.standing.state in states for point in self.points)

    @property
    def finding(self) -> Finding:
        """Whether the metric got worse over time."""
        limit, worse, title = self.backtest.may_worsen, self.trend.worsening, self.backtest.evaluation.metrics[0].title
        passed = self.trend.allowed(limit)
        if worse.value is None:
            reason = f"{self.trend.cutoffs} cutoffs have comparable numbers: too few to see a trend."
        else:
            all_of_it = "which may be no" if passed else "all of it"
            better = "worse" if worse.value > 0 else "better"
            reason = (
                f"{title} got {better} by {abs(worse.value):.4g} over {self.trend.cutoffs} cutoffs; with chance that "
                f"is {worse.low:+.4g} to {worse.high:+.4g} worse, {all_of_it} more than {limit:g}."
            )
        numbers = {name: value for name, value in asdict(worse).items() if value is not None}
        return Finding(
            check=check(self.backtest),
            partition=WHOLE,
            passed=passed,
            reason=reason,
            numbers=numbers | {"cutoffs": self.trend.cutoffs, "limit": limit},
        )

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, which change only when one of them does."""
        evaluation, finding = self.backtest.evaluation, self.finding
        note = {"simulated": self.simulated} if self.simulated else {}
        return note | {
            "backtest": self.backtest.name,
            "description": self.backtest.description,
            "remarks": self.backtest.remarks,
            "of": self.backtest.of.name,
            "model": evaluation.model.name,
            "metrics": [
                {"name": metric.name, "title": metric.title, "goal": metric.goal, "unit": metric.unit}
                for metric in evaluation.metrics
            ],
            "cutoffs": [_plain(self.backtest, point) for point in self.points],
            "trend": {
                "metric": self.metric,
                "cutoffs": self.trend.cutoffs,
                "worsening": asdict(self.trend.worsening),
                "line": self.trend.line,
                "may_worsen": self.backtest.may_worsen,
                "passed": finding.passed,
                "reason": finding.reason,
            },
        }


def check(backtest: Backtest) -> Check:
    """The check of a backtest."""
    metric = backtest.evaluation.metrics[0]
    return Check(
        name="not_worse_over_time",
        blocking=backtest.blocking,
        description=(
            f"{metric.title} on what came after each cutoff does not get worse over the cutoffs by more than "
            f"{backtest.may_worsen:g} and what chance explains."
        ),
    )


def cutoffs_of(backtest: Backtest) -> list[str]:
    """The cutoffs that it looks at, oldest first: so many whose models can be made by now, or all of its span."""
    dataset = backtest.dataset
    if not isinstance(backtest.cutoffs, int):
        first, last = backtest.cutoffs
        return dataset.cadence.keys(first, last + timedelta(days=1))
    keys = [key for key in dataset.cadence.keys() if dataset.is_trainable(dataset.cadence.day(key))]
    while keys and not is_known(dataset, keys[-1]):  # outcomes become known in the order of their moments
        keys.pop()
    return keys[-backtest.cutoffs :]


def walk(backtest: Backtest, *, work: Work) -> Walk:
    """Look at every cutoff; nothing is trained or written."""
    points = tuple(_point(backtest, cutoff, work) for cutoff in cutoffs_of(backtest))
    metric = backtest.evaluation.metrics[0]
    seen = [
        (backtest.dataset.cadence.day(point.cutoff), point.standing.result.test(metric.name))
        for point in points
        if point.standing.result and point.standing.state in COMPARABLE
    ]
    days, estimates = [day for day, _ in seen], [estimate for _, estimate in seen]
    return Walk(
        backtest=backtest,
        points=points,
        trend=trend(days, estimates, goal=metric.goal),
        simulated=_simulated(backtest, points, work),
    )


def _simulated(backtest: Backtest, points: Sequence[Point], work: Work) -> str:
    measured = [point.standing.result for point in points if point.standing.result]
    used = measured and work.published(DATASETS, backtest.dataset, measured[-1].dataset_digest)
    return simulated_behind(used, work=work) if used else ""


def _point(backtest: Backtest, cutoff: str, work: Work) -> Point:
    found, registration = standing(backtest.evaluation, cutoff, work=work), backtest.registration
    judged = registration is not None and found.result is not None and found.state in COMPARABLE
    verdicts = registration.judge(found.result) if judged and registration and found.result else ()
    return Point(cutoff=cutoff, standing=found, verdicts=verdicts)


def materialize_backtest(backtest: Backtest, *, work: Work) -> tuple[Walk, Artifact]:
    """Publish what is there now; numbers that were published before are not written again."""
    found = walk(backtest, work=work)
    said, picture = found.to_json(), plot(found)
    files = {
        DATA: json.dumps(said, indent=1, allow_nan=False) + "\n",
        PAGE: html(found),
        TEXT: markdown(found, picture=PLOT) + "\n",
    } | ({PLOT: picture.svg} if picture else {})

    def fill(folder: Path) -> None:
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")

    record = {
        "backtest": backtest.name,
        "cutoff": found.points[-1].cutoff if found.points else "",
        "fingerprint": fingerprint(backtest),
        "evaluations": {p.cutoff: p.standing.result.digest for p in found.points if p.standing.result},
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    artifact = work.platform.artifacts.publish(work.place(KIND, backtest, WHOLE), digest(files), record, fill)
    work.say(f"{work.table(backtest)}: {len(found.points)} cutoffs. {found.finding.reason} {artifact.folder / PAGE}")
    return found, artifact


def _plain(backtest: Backtest, point: Point) -> dict[str, Any]:
    """What is known of a cutoff; without numbers only why there are none."""
    result, state = point.standing.result, point.standing.state
    said: dict[str, Any] = {"cutoff": point.cutoff, "state": str(state), "why": point.standing.why}
    if result is None:
        return said
    test = result.splits["test"]
    return said | {
        "rows": test.rows,
        "first": test.first,
        "last": test.last,
        "metrics": {name: asdict(one) for name, one in test.metrics.items()},
        "baselines": {
            name: {
                "metrics": {metric: asdict(one) for metric, one in score.metrics.items()},
                "lead": {metric: asdict(one) for metric, one in score.lead.items()},
            }
            for name, score in result.baselines.items()
        },
        "slices": [_slice(one) for one in shown(backtest, result.slices)],
        "gates": [
            {"gate": one.gate, "outcome": str(one.outcome), "stops": one.stops, "reason": one.reason}
            for one in point.verdicts
        ],
        "model_digest": result.model_digest,
        "dataset_digest": result.dataset_digest,
    }


def shown(backtest: Backtest, slices: Sequence[Slice]) -> list[Slice]:
    """The slices that it shows over time."""
    return [one for one in slices if one.column in backtest.slices]


def _slice(one: Slice) -> dict[str, Any]:
    metrics = {name: asdict(estimate) for name, estimate in one.metrics.items()}
    return {"column": one.column, "value": one.value, "rows": one.rows, "metrics": metrics, "gap": asdict(one.gap)}
