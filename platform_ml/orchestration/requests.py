"""Steps of a plan as runs of Dagster: how they are asked for, which are under way, and what made one fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from platform_ml.engine.ports import WHOLE
from platform_ml.orchestration.environment import environment
from platform_ml.orchestration.killed import end_killed
from platform_ml.spec.fingerprint import digest
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from platform_ml.engine.plan import Step
    from platform_ml.spec.reason import Reason

REQUEST_TAG = "platform_ml/request"
"""The tag of a run that says what it was asked for: nouns, partitions, and what they are made of."""
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
LONGEST = 200


def token(step: Step) -> str:
    """The same as long as a step would do the same: nouns, partitions, what they are made of, and the code."""
    return digest([_asked(step), environment()["git_commit"], environment()["git_dirty"]])[:20]


def _asked(step: Step) -> list[object]:
    """Nouns, partitions and content tokens."""
    made_of = [[step.tokens.get(noun, {}).get(key, "") for key in step.keys] for noun in step.made]
    return [list(step.made), list(step.keys), made_of]


def asset_keys(project: str, nouns: Sequence[str]) -> list[dg.AssetKey]:
    """The assets of nouns."""
    return [dg.AssetKey([project, noun]) for noun in nouns]


def partition_tags(keys: Sequence[str]) -> dict[str, str]:
    """How a run is told its partitions; a range is made in one go."""
    if list(keys) == [WHOLE]:
        return {}
    if len(keys) == 1:
        return {PARTITION_NAME_TAG: keys[0]}
    return {ASSET_PARTITION_RANGE_START_TAG: keys[0], ASSET_PARTITION_RANGE_END_TAG: keys[-1]}


def reason_tags(step: Step, reason: Reason, detail: str = "") -> dict[str, str]:
    """Why a step runs."""
    return {REASON_TAG: str(reason), DETAIL_TAG: (detail or why(step))[:LONGEST], REQUEST_TAG: token(step)}


def why(step: Step) -> str:
    """What is made and why, in a sentence with numbers."""
    return f"{', '.join(step.made)} {step.span}: {tallied(dict(step.reasons.most_common()))}"


def tallied(reasons: Mapping[str, int]) -> str:
    """Reasons, each with how many partitions have it.

    >>> tallied({"upstream is stale": 1200, "its inputs changed": 1})
    'upstream is stale (1,200), its inputs changed (1)'
    """
    return ", ".join(f"{reason} ({count:,})" for reason, count in reasons.items())


@dataclass(frozen=True, kw_only=True)
class Busy:
    """A run that is queued or has started, and what it makes."""

    nouns: frozenset[str]
    first: str
    last: str
    run_id: str

    def makes(self, noun: str, key: str) -> bool:
        """Whether it makes this partition."""
        return noun in self.nouns and (WHOLE in (key, self.first) or self.first <= key <= self.last)


def under_way(instance: dg.DagsterInstance, project: str) -> list[Busy]:
    """What runs of a project are queued or running; those of a command line that was killed are ended first."""
    end_killed(instance)
    found = []
    for run in instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY)):
        nouns = frozenset(key.path[1] for key in _assets(instance, run) if key.path[0] == project and len(key.path) > 1)
        one = run.tags.get(PARTITION_NAME_TAG, WHOLE)
        first = run.tags.get(ASSET_PARTITION_RANGE_START_TAG, one)
        last = run.tags.get(ASSET_PARTITION_RANGE_END_TAG, one)
        if nouns:
            found.append(Busy(nouns=nouns, first=first, last=last, run_id=run.run_id))
    return found


def _assets(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Collection[dg.AssetKey]:
    if run.asset_selection:
        return run.asset_selection
    planned = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)
    return {event.asset_key for event in (one.dagster_event for one in planned) if event and event.asset_key}


def culprits(instance: dg.DagsterInstance, run_id: str) -> dict[tuple[str, str], str]:
    """The noun and partition of each blocking check that failed in a run, with what it said."""
    found = {}
    for record in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        evaluation = record.dagster_event and record.dagster_event.asset_check_evaluation_data
        if evaluation and not evaluation.passed and evaluation.blocking:
            noun = evaluation.asset_key.path[-1]
            found[noun, evaluation.partition or WHOLE] = f"{evaluation.check_name}: {evaluation.description}"
    return found


def failure(instance: dg.DagsterInstance, run_id: str) -> str:
    """Why a run failed, in one line."""
    for record in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        data = record.dagster_event and record.dagster_event.step_failure_data
        if data:
            said = data.user_failure_data.description if data.user_failure_data else ""
            return said or (data.error.message if data.error else "")
    for record in instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_FAILURE):
        if record.dagster_event and record.dagster_event.message:
            return record.dagster_event.message
    return "see the run"
