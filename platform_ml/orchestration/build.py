"""Projects in, Dagster definitions out."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import dagster as dg

from platform_ml.engine.cutoff import model_path
from platform_ml.orchestration.alerts import alerts_sensor
from platform_ml.orchestration.asset import key
from platform_ml.orchestration.automation import automation_sensor
from platform_ml.orchestration.backtest import backtest_asset
from platform_ml.orchestration.catalog import catalog_asset, catalog_key
from platform_ml.orchestration.code_server import keep_looking
from platform_ml.orchestration.evaluation import evaluation_asset
from platform_ml.orchestration.feature_group import feature_group_asset
from platform_ml.orchestration.feature_selection import feature_selection_asset
from platform_ml.orchestration.feature_view import feature_view_asset
from platform_ml.orchestration.label import label_asset
from platform_ml.orchestration.leader_board import leader_board_asset
from platform_ml.orchestration.model_card import model_card_asset
from platform_ml.orchestration.new_data import new_data
from platform_ml.orchestration.promotion import promotion_jobs
from platform_ml.orchestration.quarantine import quarantine_asset
from platform_ml.orchestration.registration import registration_asset
from platform_ml.orchestration.retraining import retraining_sensor
from platform_ml.orchestration.schedules import scheduled, schedules
from platform_ml.orchestration.scores import scores_asset
from platform_ml.orchestration.source import delivered, source_asset
from platform_ml.orchestration.tracking import kept_runs, mlflow_health
from platform_ml.orchestration.training_dataset import training_dataset_asset
from platform_ml.orchestration.tuned_model import tuned_model_asset
from platform_ml.orchestration.young import young
from platform_ml.spec.backtest import Backtest
from platform_ml.spec.evaluation import Evaluation
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.feature_selection import FeatureSelection
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.label import Label
from platform_ml.spec.leader_board import LeaderBoard
from platform_ml.spec.project import CATALOG
from platform_ml.spec.registration import Registration
from platform_ml.spec.scores import Scores
from platform_ml.spec.source import Source
from platform_ml.spec.training_dataset import TrainingDataset
from platform_ml.spec.tuned_model import TunedModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from platform_ml.orchestration.resources import PlatformResource
    from platform_ml.spec.project import Noun, Project
    from platform_ml.spec.window import Cadence

CADENCES = {0: "reference", 1: "daily", 7: "weekly"}
"""Days between two partitions → what a job is called; 0 is without partitions."""

EXECUTOR, IN_PROCESS = "PLATFORM_ML_EXECUTOR", "in_process"
"""The environment variable that says where the steps of a run are executed, and its only value."""


def definitions(projects: Sequence[Project], platform: PlatformResource) -> dg.Definitions:
    """Everything that Dagster needs to know of these projects in this environment."""
    jobs = {project.name: list(project_jobs(project)) for project in projects}
    retraining = [retraining_sensor(project, jobs[project.name], platform) for project in projects]
    return dg.Definitions(
        assets=[made for project in projects for made in project_assets(project)],
        jobs=[
            *(job for some in jobs.values() for job in some),
            mlflow_health(platform.mlflow()),
            *promotion_jobs(projects),
        ],
        sensors=[
            kept_runs(platform.mlflow()),
            alerts_sensor(projects, platform),
            *(one for project in projects for one in project_sensors(project, platform)),
            *map(automation_sensor, projects),
            *(sensor for sensor in retraining if sensor),
        ],
        schedules=[one for project in projects for one in schedules(project, platform)],
        resources={"platform": platform},
        executor=_executor(),
    )


def _executor() -> dg.ExecutorDefinition:
    """Steps in processes of their own, or, where start-up would take longer than the work, one after the other."""
    if os.environ.get(EXECUTOR) == IN_PROCESS:
        return dg.in_process_executor
    return dg.multiprocess_executor.configured(
        {
            "max_concurrent": 2,
            # Steps start from a process that has the heavy libraries already.
            "start_method": {"forkserver": {"preload_modules": ["platform_ml.orchestration.preload"]}},
        }
    )


def project_sensors(project: Project, platform: PlatformResource) -> list[dg.SensorDefinition]:
    """What looks after a project by itself."""
    more = [scheduled(project, platform)] if project.schedules else []
    return [new_data(project, platform), *more]


def project_assets(project: Project) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The assets of a project, upstream first."""
    keep_looking()
    with young():
        return list(_assets(project))


def _assets(project: Project) -> Iterator[dg.AssetsDefinition | dg.AssetSpec]:
    for noun in project.nouns:
        match noun:
            case Source():
                yield delivered(project, noun)
                yield source_asset(project, noun)
            case FeatureGroup():
                yield feature_group_asset(project, noun)
            case Label() | EventLabel():
                yield label_asset(project, noun)
            case FeatureView():
                yield feature_view_asset(project, noun)
            case _:
                yield from _training_assets(project, noun)
    yield catalog_asset(project)
    yield quarantine_asset(project)


def _training_assets(project: Project, noun: Noun) -> Iterator[dg.AssetsDefinition]:
    match noun:
        case TrainingDataset():
            yield training_dataset_asset(project, noun)
        case FeatureSelection():
            yield feature_selection_asset(project, noun)
        case TunedModel():
            yield tuned_model_asset(project, noun)
        case LeaderBoard():
            yield leader_board_asset(project, noun)
        case Evaluation():
            yield evaluation_asset(project, noun)
        case Registration():
            yield model_card_asset(project, noun)  # with its gates, which the registration declares
            yield registration_asset(project, noun)
        case Scores():
            yield scores_asset(project, noun)
        case Backtest():
            yield backtest_asset(project, noun)


def project_jobs(project: Project) -> Iterator[dg.UnresolvedAssetJobDefinition]:
    """One job per cadence, since the assets of a job share their partitions, one per registered model, and scores."""
    feeds: list[Source | FeatureGroup] = [*project.all(Source), *project.all(FeatureGroup)]
    by_cadence: dict[Cadence | None, list[dg.AssetKey]] = {}
    for noun in feeds:
        by_cadence.setdefault(noun.cadence, []).append(key(project, noun))
    tags = {"platform_ml/project": project.name}
    alike = Counter(cadence.days for cadence in by_cadence if cadence)
    for cadence, keys in by_cadence.items():
        name = CADENCES[cadence.days if cadence else 0]
        if cadence and alike[cadence.days] > 1:
            name += f"_from_{cadence.first:%Y%m%d}"
        description = f"Sources and feature groups of {project.name}, {name.replace('_', ' ')}."
        yield dg.define_asset_job(f"{project.name}_{name}", keys, description=description, tags=tags)
    yield dg.define_asset_job(
        f"{project.name}_{CATALOG}", [catalog_key(project)], description=f"The catalog of {project.name}.", tags=tags
    )
    by_view: dict[str, list[dg.AssetKey]] = {}
    for registration in project.all(Registration):
        model = registration.card.evaluation.model
        view = model.dataset.view
        begin = "labels" if model.dataset.cutoffs is None else "the dataset"
        tables: list[Noun] = [view.label, view]
        if model.dataset.cutoffs is not None:  # whose partitions are others than those of the tables
            by_view[view.name] = [key(project, noun) for noun in tables]
            tables = []
        nouns = [*tables, *model_path(registration)]
        yield dg.define_asset_job(
            f"{project.name}_{registration.name}",
            [key(project, noun) for noun in nouns],
            description=f"From {begin} to the registered model {registration.name}, for one cutoff.",
            tags=tags,
        )
    for name, keys in by_view.items():
        yield dg.define_asset_job(
            f"{project.name}_{name}", keys, description=f"The rows of {name}, label first.", tags=tags
        )
    for scores in project.all(Scores):
        yield dg.define_asset_job(
            f"{project.name}_{scores.name}",
            [key(project, scores)],
            description=f"Batch inference with {scores.registration.name}: {scores.name}, for one moment or many.",
            tags=tags,
        )
