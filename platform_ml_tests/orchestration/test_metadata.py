"""What a person looks for in the web page is there, is plain, and is small."""

import shutil
from dataclasses import replace
from decimal import Decimal

import dagster as dg
import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.definitions import defs
from platform_ml.engine import feature_group
from platform_ml.engine.statistics import measure
from platform_ml.features import Count, Total
from platform_ml.orchestration.metadata import (
    PREVIEW_CHARACTERS,
    PREVIEW_COLUMNS,
    PREVIEW_ROWS,
    columns,
    measured,
    preview,
)
from platform_ml.projects import PROJECTS
from platform_ml.spec import schema
from platform_ml.spec.event_label import EventLabel
from platform_ml.spec.feature_group import EVENT_TIME, Derived, FeatureGroup, Lookup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.label import KNOWN_TIME, Label
from platform_ml.spec.quality import PartitionQuality
from platform_ml.spec.source import Source
from platform_ml.spec.training_dataset import SPLITS
from platform_ml.testing import declarations as small
from platform_ml_tests.engine.rides import late_view, project_of
from platform_ml_tests.orchestration.shop import (
    CUTOFF,
    DAYS,
    Checkout,
    assets,
    customer_profile,
    customers,
    failures,
    key,
    order_history,
    order_weeks,
    orders,
    shop,
)

LARGEST = 100_000
"""Bytes: more makes the web page slow."""
MOMENTS = {EVENT_TIME, KNOWN_TIME}
"""Made of the partition's key and of nothing upstream."""


def columns_of(noun):
    match noun:
        case Source():
            return list(noun.types)
        case FeatureGroup():
            return list(feature_group.types(noun))
        case Label() | EventLabel():
            return list(noun.columns)
        case FeatureView():
            return list(noun.types)


def tables(made, project):
    """Every table of a project with its declaration."""
    specs = {found.key: found.specs_by_key[found.key] for found in made if isinstance(found, dg.AssetsDefinition)}
    return [(noun, specs[dg.AssetKey([project.name, noun.name])]) for noun in project.nouns if columns_of(noun)]


RETAIL = [(project.name, noun, spec) for project in PROJECTS for noun, spec in tables(defs.assets, project)]
SHOP = [(shop.name, noun, spec) for noun, spec in tables(assets(shop), shop)]
RIDES = project_of(late_view)
EVENTS = [("rides", noun, spec) for noun, spec in tables(assets(RIDES), RIDES)]
ALL = [*RETAIL, *SHOP, *EVENTS]
EVERY = pytest.mark.parametrize(
    ("project", "noun", "spec"), ALL, ids=[f"{name}-{spec.key.path[-1]}" for name, _, spec in ALL]
)
SCHEMAS = {(name, spec.key): spec.metadata["dagster/column_schema"] for name, _, spec in ALL}


@EVERY
def test_every_column_has_a_type_and_a_meaning(project, noun, spec):
    found = {column.name: column for column in SCHEMAS[project, spec.key].columns}
    assert list(found) == columns_of(noun)
    assert all(column.type for column in found.values())
    if not isinstance(noun, Source):
        helped = set(noun.keys) if isinstance(noun, FeatureGroup) else set()
        helped |= {noun.entity} if isinstance(noun, Label) else set()
        helped |= set(noun.spine_names) if isinstance(noun, FeatureView) else set()
        assert [name for name, column in found.items() if not column.description and name not in helped] == []


@EVERY
def test_every_column_leads_back_to_a_source(project, noun, spec):
    if isinstance(noun, Source):
        return
    lineage = spec.metadata["dagster/column_lineage"].deps_by_column
    assert set(columns_of(noun)) - set(lineage) <= MOMENTS
    for name, deps in lineage.items():
        assert deps, f"{name} is made of nothing"
        for dep in deps:
            assert dep.column_name in {column.name for column in SCHEMAS[project, dep.asset_key].columns}
            assert dep.asset_key in {upstream.asset_key for upstream in spec.deps}


def test_lineage_goes_through_lookups_and_derived_columns():
    group = replace(
        small.order_history,
        lookups=(Lookup(source=small.customers, columns=("country",)),),
        derived=(Derived(name="vat", sql="CASE WHEN country = 'AT' THEN amount END", type=schema.Decimal(9, 2)),),
        features=(Total(days=7, of="vat"), Count(days=7)),
    )
    made = next(made for made in assets(replace(shop, outputs=(group,))) if made.key == key(group))
    lineage = made.specs_by_key[made.key].metadata["dagster/column_lineage"].deps_by_column
    found = {name: {(dep.asset_key.path[-1], dep.column_name) for dep in deps} for name, deps in lineage.items()}
    time = ("orders", "ordered_at")
    assert found["vat_sum_7d"] == {("orders", "amount"), ("customers", "country"), time}
    assert found["count_7d"] == {("orders", "customer_id"), time}


def test_a_preview_is_a_table():
    rows = pa.table(
        {
            "text": ["a|b", "two\nlines", "x" * 1_000_000, None, "", "the sixth row"],
            "number": [1.23456789, float("nan"), 0.0, None, 1e300, 0.0],
            "money": pa.array([Decimal("1.20")] * 6),
            **{f"column_{n}": [None] * 6 for n in range(PREVIEW_COLUMNS)},
        }
    )
    header, rule, *lines, empty, more = preview(rows).md_str.splitlines()
    assert header.startswith("| text | number | money | column_0 |")
    assert rule == "| " + " | ".join(["---"] * PREVIEW_COLUMNS) + " |"
    assert len(lines) == PREVIEW_ROWS
    assert {line.replace("\\|", "").count("|") for line in (header, rule, *lines)} == {PREVIEW_COLUMNS + 1}
    assert lines[0].startswith("| a\\|b | 1.23457 | 1.20 |  |")
    assert lines[1].startswith("| two lines | nan |")
    assert lines[2].startswith("| " + "x" * (PREVIEW_CHARACTERS - 1) + "… |")
    assert (empty, more) == ("", "… and 3 more columns.")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, _built):
    """(asset, name, value) of all metadata of runs from the files to the registered model, as it was handed over."""
    checkout = Checkout(shutil.copytree(_built, tmp_path_factory.mktemp("model"), dirs_exist_ok=True))
    path = [
        noun for noun in shop.nouns if noun not in (orders, customers, order_history, order_weeks, customer_profile)
    ]
    runs = [
        checkout.materialize([orders, order_history], partition=str(DAYS[-1])),
        checkout.materialize([orders, order_history], span=(str(DAYS[-2]), str(DAYS[-1]))),
        checkout.materialize([order_weeks], partition=str(DAYS[-7])),
        checkout.materialize([customers, customer_profile]),
        checkout.materialize(path, partition=CUTOFF),
    ]
    assert all(run.success for run in runs), list(map(failures, runs))
    checkout.instance.dispose()
    events = [event for run in runs for event in run.all_events]
    data = [event.step_materialization_data.materialization for event in events if event.is_step_materialization]
    checks = [event for event in events if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION]
    data += [event.asset_check_evaluation_data for event in checks]
    return [(one.asset_key.path[-1], name, value) for one in data for name, value in one.metadata.items()]


def test_every_asset_leaves_metadata(recorded):
    assert {asset for asset, *_ in recorded} == {noun.name for noun in shop.nouns}
    assert {name for asset, name, _ in recorded if asset == "lapse_view"} >= {
        "dagster/row_count", "table_version", "content", "bytes", "preview", "table",
    }  # fmt: skip


def test_a_dataset_shows_the_statistics_of_its_splits(recorded):
    shown = {name: value for asset, name, value in recorded if asset == "lapse_dataset"}
    for split in SPLITS:
        lines = shown[f"statistics/{split}"].md_str.splitlines()
        assert lines[0].startswith("| column | nulls | distinct, about | min |")
        assert any(line.startswith("| amount_sum_7d | ") for line in lines)
    assert isinstance(shown["mean/amount_sum_7d"].value, float)


def test_only_plain_values_reach_dagster(recorded):
    assert {type(value.value) for *_, value in recorded} <= {bool, dict, float, int, list, str}


def test_no_value_is_large(recorded):
    declared = [(spec.key.path[-1], *item) for *_, spec in (*RETAIL, *SHOP) for item in spec.metadata.items()]
    sizes = [(len(repr(value)), asset, name) for asset, name, value in (*recorded, *declared)]
    assert max(sizes) < (LARGEST,)


def test_a_preview_shows_no_columns_of_the_platform(recorded):
    headers = {asset: value.md_str.splitlines()[0] for asset, name, value in recorded if name == "preview"}
    assert headers["orders"] == "| order_id | customer_id | amount | ordered_at |"
    assert headers["customer_profile"] == "| customer_id | country | student |"


def statistics_of(**columns):
    rows = pa.table({"_partition": ["a"] * 4, **columns})
    return measure(rows, ["a"], compute=DuckDB(threads=1))[0]["a"]


def test_figures_to_plot():
    found = statistics_of(shop_id=[1, 1, 1, 1], amount=[1.0, 2.0, None, 3.0], name=["a", None, None, "b"])
    assert measured(found) == {
        "null_share": 0.25,
        "null_share/amount": 0.25,
        "mean/amount": 2.0,
        "null_share/name": 0.5,
    }
    assert measured(None) == {}


def test_the_columns_are_a_table():
    lines = columns(statistics_of(amount=[1.0, 2.0, None, 3.0], name=["a", "a", None, "b"]))["statistics"].md_str
    assert lines.splitlines()[2:] == [
        "| amount | 25.0% | 3 | 1 | 2 | 3 | 2 | 1 |  |",
        "| name | 25.0% | 2 |  |  |  |  |  | a (2), b (1) |",
    ]
    assert columns(None) == {}


def test_every_partition_has_figures_that_dagster_plots(landed):
    landed.materialize([orders], span=(str(DAYS[8]), str(DAYS[9])))
    for day in DAYS[8:10]:
        (record,) = landed.instance.fetch_materializations(
            dg.AssetRecordsFilter(key(orders), asset_partitions=[str(day)]), limit=1
        ).records
        said = record.asset_materialization.metadata
        assert said["null_share"].value == 0.0
        assert isinstance(said["mean/amount"].value, float)


def test_every_partition_of_a_scored_group_has_its_scores(built):
    found = {}
    for week in order_weeks.cadence.keys():
        (record,) = built.instance.fetch_materializations(
            dg.AssetRecordsFilter(key(order_weeks), asset_partitions=[week]), limit=1
        ).records
        found[week] = {name: one.value for name, one in record.asset_materialization.metadata.items()}
    kept = built.work.platform.tables.statistics(built.work.read(order_weeks, []))
    for week, said in found.items():
        quality = kept[week].quality
        assert said["feature_quality_score"] == quality.score
        assert said["is_training_ready"] is quality.ready
        assert said["ready_share"] == quality.ready_share
        assert said["missing_share/days_since_last_14d"] == quality.missing_share == 0
        assert said["outlier_share/days_since_last_14d"] == quality.outlier_share
    assert "feature_quality_score" not in measured(replace(kept[week], quality=None))


def test_no_rows_have_no_scores():
    none = PartitionQuality(score=None, ready=None, ready_share=None, missing_share=None, outlier_share=None)
    assert measured(replace(statistics_of(amount=[1.0] * 4), quality=none)) == {"null_share": 0.0, "mean/amount": 1.0}
