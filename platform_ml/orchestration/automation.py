"""Declarative automation: which missing partitions are made as soon as everything that they read is there and good.

Division of labour: sources, and whatever became stale, are requested by sensors, which compare contents. Conditions
make what was never made, of the newest partitions only; the rest of history is a backfill, which somebody asks for.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.definitions.events import AssetKeyPartitionKey
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from platform_ml.engine.staleness import cadence_of, is_due
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.label import Label
from platform_ml.spec.reason import DETAIL_TAG, REASON_TAG, Reason
from platform_ml.spec.scores import Scores

if TYPE_CHECKING:
    from platform_ml.spec.project import Noun, Project

AC = dg.AutomationCondition
Automated = FeatureGroup | Label | EventLabel | FeatureView | Scores
FAILED = AssetCheckExecutionRecordStatus.FAILED
DAYS = 14
"""How far back what is missing is made without being asked for."""
FEWEST = 2
"""Partitions, however long they are."""
EVERY = 60
"""Seconds between two looks: a sensor that asks for the same is faster."""


class Newest(dg.AutomationCondition[dg.AssetKey]):
    """The newest partitions that can be made by now: those of about two weeks, at least two.

    Dagster's own latest time window knows only when a partition begins; a label can be made when its horizon is over.
    """

    def __init__(self, noun: Automated) -> None:
        self.noun = noun

    @property
    def name(self) -> str:
        return "newest_that_can_be_made"

    @property
    def description(self) -> str:
        return f"Among the newest partitions, of {DAYS} days or {FEWEST}, whose outcome can be known by now"

    @property
    def requires_cursor(self) -> bool:
        return False

    def evaluate(self, context: dg.AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:
        """Of the candidates."""
        keys, candidates = newest(self.noun), context.candidate_subset
        if keys is not None:
            view = context.asset_graph_view
            known = {key for key in keys if context.partitions_def and context.partitions_def.has_partition_key(key)}
            candidates = view.compute_intersection_with_partition_keys(known, candidates)
        return dg.AutomationResult(context, candidates)


class Refused(dg.AutomationCondition[dg.AssetKey]):
    """The newest result of a blocking check is a failure, of a partition that is read.

    Whatever the partition still has: what was refused last is what its supplier says now. Dagster's own conditions
    forget a failure that did not lead to a materialization, and here none does.
    """

    def __init__(self, ignored: dg.AssetKey | None = None) -> None:
        self.ignored = ignored

    @property
    def name(self) -> str:
        return "any_blocking_check_of_what_is_read_failed"

    @property
    def requires_cursor(self) -> bool:
        return False

    def evaluate(self, context: dg.AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:
        """Of the candidates."""
        view, graph, found = context.asset_graph_view, context.asset_graph, context.get_empty_subset()
        parents = set() if context.candidate_subset.is_empty else graph.get(context.key).parent_keys
        for parent in sorted(parents - {self.ignored}):
            checks = [one for one in graph.get(parent).check_keys if graph.get(one).blocking]
            known = view.instance.event_log_storage.get_asset_check_partition_info(checks)
            failed = [one.partition_key for one in known if one.latest_execution_status == FAILED]
            bad = {AssetKeyPartitionKey(parent, one) for one in failed}
            if bad:
                subset = view.get_asset_subset_from_asset_partitions(parent, bad)
                found = found.compute_union(subset.compute_child_subset(context.key))
        return dg.AutomationResult(context, context.candidate_subset.compute_intersection(found))


class EverMade(dg.AutomationCondition[dg.AssetKey]):
    """Another asset was made for some partition, whichever."""

    def __init__(self, key: dg.AssetKey) -> None:
        self.key = key

    @property
    def name(self) -> str:
        return f"ever_made({self.key.to_user_string()})"

    @property
    def requires_cursor(self) -> bool:
        return False

    def evaluate(self, context: dg.AutomationContext[dg.AssetKey]) -> dg.AutomationResult[dg.AssetKey]:
        """All candidates or none."""
        there = context.asset_graph_view.instance.get_latest_materialization_event(self.key) is not None
        return dg.AutomationResult(context, context.candidate_subset if there else context.get_empty_subset())


def newest(noun: Automated) -> list[str] | None:
    """The keys of the newest partitions that can be made by now, oldest first; None for what has no partitions."""
    cadence = cadence_of(noun)
    if cadence is None:
        return None
    found: list[str] = []
    for key in reversed(cadence.keys()):
        if len(found) == max(FEWEST, DAYS // cadence.days):
            break
        if isinstance(noun, Scores) or is_due(noun, key):
            found.append(key)
    return found[::-1]


def condition(project: Project, noun: Noun) -> dg.AutomationCondition[dg.AssetKey] | None:
    """When an asset between sources and models, or scores, is made by itself; None: never.

    Every partition that it is made of has to be there, and the newest result of none of their blocking checks may be a
    failure; of others nothing is asked. Dagster's `eager` and `on_cron` do not look at checks.
    """
    if not isinstance(noun, Automated):
        return None
    missing, refused = AC.any_deps_missing(), Refused()
    wanted: dg.AutomationCondition[dg.AssetKey] = Newest(noun) & AC.missing()
    if isinstance(noun, Scores):
        # Which version scores is up to the registry: that of the newest cutoff need not be there, nor have passed.
        model = dg.AssetKey([project.name, noun.registration.name])
        others = dg.AssetSelection.assets(model)
        missing, refused, wanted = missing.ignore(others), Refused(model), wanted & EverMade(model)
    ready = wanted & ~missing & ~AC.in_progress() & ~AC.execution_failed() & ~AC.any_deps_in_progress() & ~refused
    # Only at the second look in a row: what a sensor, or somebody, has asked for meanwhile is not asked for again.
    return (ready & ~ready.newly_true()).with_label("missing, and can be made")


def automation_sensor(project: Project) -> dg.AutomationConditionSensorDefinition:
    """Evaluates the conditions of a project's assets."""
    nouns = [noun for noun in project.nouns if isinstance(noun, Automated)]
    said = "missing partitions of the newest ones, whose upstream partitions are there and passed their checks"
    with warnings.catch_warnings():
        # Used knowingly: conditions of our own can be evaluated nowhere else; the pinned version has it.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return dg.AutomationConditionSensorDefinition(
            name=f"{project.name}_automation",
            target=dg.AssetSelection.assets(*(dg.AssetKey([project.name, noun.name]) for noun in nouns)),
            description=(
                f"Make what is missing of the newest partitions of {project.name}, once all that they read is there "
                "and no blocking check of it failed."
            ),
            default_status=default_status(project),
            minimum_interval_seconds=EVERY,
            use_user_code_server=True,
            tags={"platform_ml/project": project.name},
            run_tags={REASON_TAG: str(Reason.NEW_DATA), DETAIL_TAG: said, "platform_ml/project": project.name},
        )


def default_status(project: Project) -> dg.DefaultSensorStatus:
    """Whether the sensors of a project run as soon as they are deployed."""
    running = project.automation is not None and project.automation.running
    return dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED
