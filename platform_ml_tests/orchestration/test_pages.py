"""What the pages of Dagster show of every asset, check, job, sensor and schedule before anything has run."""

from dataclasses import replace

import dagster as dg
import pytest

from platform_ml.definitions import defs
from platform_ml.orchestration.build import project_assets
from platform_ml.orchestration.layers import LAYERS
from platform_ml.projects import PROJECTS
from platform_ml.spec.backtest import Backtest
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.source import Source
from platform_ml_tests.orchestration.shop import order_history, orders, shop

PROJECT, NOUN = "platform_ml/project", "platform_ml/noun"
COLUMNS, LINEAGE = "dagster/column_schema", "dagster/column_lineage"
TABLES = {"source", "feature_group", "label", "event_label", "feature_view", "training_dataset", "scores"}
WITHOUT_COLUMNS = {"catalog", "quarantine", "backtest", "feature_selection", "leader_board"}
OURS = {"alerts", "kept_runs", "mlflow_health", "promote_model", "rollback_model"}
"""What looks after all projects alike, so that no team owns it."""

SPECS = {spec.key: spec for made in defs.assets for spec in ([made] if isinstance(made, dg.AssetSpec) else made.specs)}
CHECKS = [check for made in defs.assets if isinstance(made, dg.AssetsDefinition) for check in made.check_specs]
DECLARED = {dg.AssetKey([project.name, noun.name]): noun for project in PROJECTS for noun in project.nouns}
OWNERS = {project.name: [project.owner] for project in PROJECTS}


def columns(spec):
    return spec.metadata[COLUMNS].columns


def project_of(name):
    return next(one for one in OWNERS if name.startswith(f"{one}_"))


@pytest.mark.parametrize("key", sorted(SPECS), ids=dg.AssetKey.to_user_string)
def test_an_asset_says_what_it_is_before_its_first_run(key):
    spec, project = SPECS[key], key.path[0]
    assert spec.group_name in {f"{project}_{layer}" for layer in LAYERS}
    assert spec.owners == OWNERS[project]
    assert spec.kinds
    assert spec.description.endswith((".", "/", ")")) or spec.tags[NOUN] == "landing"
    assert len(spec.description) > 20
    assert spec.tags[PROJECT] == project
    assert spec.code_version or spec.tags[NOUN] == "landing"
    if spec.tags[NOUN] in TABLES | {"landing"}:
        assert columns(spec)
        assert spec.tags[NOUN] == "landing" or spec.metadata[LINEAGE].deps_by_column
    elif spec.tags[NOUN] not in WITHOUT_COLUMNS:
        assert spec.metadata


@pytest.mark.parametrize("key", sorted(DECLARED), ids=dg.AssetKey.to_user_string)
def test_partitions_are_those_of_the_cadence_and_what_keeps_coming_grows_old(key):
    noun, spec = DECLARED[key], SPECS[key]
    cadence = getattr(noun, "cadence", None)
    assert cadence is None or spec.partitions_def
    if not isinstance(noun, Source | FeatureGroup | Backtest):
        assert spec.partitions_def
    if cadence is not None and cadence.last is None:
        assert spec.freshness_policy


@pytest.mark.parametrize("last", [None, orders.cadence.last])
def test_what_keeps_coming_grows_old_and_history_does_not(last):
    source = replace(orders, cadence=replace(orders.cadence, last=last))
    history = replace(order_history, source=source, cadence=source.cadence)
    made = project_assets(replace(shop, outputs=(history,), demo_cutoff=None))
    [found] = [one.specs_by_key[one.key] for one in made if one.key == dg.AssetKey([shop.name, history.name])]
    assert (found.freshness_policy is not None) == (last is None)


@pytest.mark.parametrize("key", sorted(SPECS), ids=dg.AssetKey.to_user_string)
def test_columns_say_what_they_mean(key):
    """Those of a source may leave it out, where the name says it all."""
    if SPECS[key].tags[NOUN] in TABLES - {"source"}:
        assert not [one.name for one in columns(SPECS[key]) if not one.description]


def test_lineage_leads_to_columns_that_are_there():
    shown = {key: {one.name for one in columns(spec)} for key, spec in SPECS.items() if COLUMNS in spec.metadata}
    for key, spec in SPECS.items():
        lineage = spec.metadata.get(LINEAGE)
        for column, made_of in lineage.deps_by_column.items() if lineage else ():
            assert column in shown[key]
            assert {one.column_name for one in made_of if one.column_name not in shown[one.asset_key]} == set(), column


def test_every_check_says_what_it_looks_at():
    assert CHECKS
    assert not [check for check in CHECKS if not check.description or len(check.description) < 20]


@pytest.mark.parametrize("made", [*defs.jobs, *defs.sensors, *defs.schedules], ids=lambda made: made.name)
def test_jobs_sensors_and_schedules_say_what_they_do_and_whose_they_are(made):
    assert len(made.description) > 20
    assert made.description.endswith(".")
    if made.name in OURS:
        return
    project = project_of(made.name)
    assert made.tags[PROJECT] == project
    if isinstance(made, dg.ScheduleDefinition) or type(made) is dg.SensorDefinition:  # others take no owners
        assert list(made.owners) == OWNERS[project]
