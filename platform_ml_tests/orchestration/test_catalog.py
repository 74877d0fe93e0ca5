"""The catalog as an asset: for everything that a project declares, and also when there is nothing yet."""

import json
from dataclasses import replace
from pathlib import Path

import dagster as dg

from platform_ml.orchestration.build import definitions
from platform_ml.orchestration.catalog import catalog_asset, catalog_key
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.spec.project import CATALOG
from platform_ml_tests.orchestration.shop import failures, order_history, order_weeks, orders, shop, swapped


def written(checkout, project=shop):
    """One run of the catalog, what it says in Dagster, and the published folder."""
    result = dg.materialize(
        [catalog_asset(project)],
        instance=checkout.instance,
        resources={"platform": checkout.platform},
        raise_on_error=False,
    )
    assert result.success, failures(result)
    (event,) = result.asset_materializations_for_node(f"{project.name}__{CATALOG}")
    return {name: one.value for name, one in event.metadata.items()}


def listed(said):
    return json.loads((folder_of(said) / "catalog.json").read_text())["projects"][0]["items"]


def folder_of(said):
    return Path(said["folder"])


def test_before_anything_was_made(landed):
    said = written(landed)
    assert (said["declared"], said["materialized"], said["stale"]) == (10, 0, 0)
    assert "not materialized yet" in (folder_of(said) / "catalog.html").read_text()
    assert said["html"] == str(folder_of(said) / "catalog.html")
    assert said["summary"].count("not materialized yet") == 10


def test_what_was_made_is_in_it(built):
    said = written(built)
    assert (said["declared"], said["materialized"], said["stale"], said["incomplete"]) == (10, 8, 0, 0)
    found = {item["name"]: item for item in listed(said)}
    assert {found[name]["status"] for name in ("orders", "order_weeks", "lapse_view", "lapse_dataset")} == {"current"}
    assert found["lapse_model"]["status"] == "not materialized yet"
    (version,) = found["lapse_dataset"]["made"]["versions"]
    assert version["current"] is True
    assert version["made"].endswith(" test rows")
    kept = built.work.platform.tables.statistics(built.work.read(order_weeks, []))
    last = kept[order_weeks.cadence.keys()[-1]].quality
    assert said["feature_quality_score/order_weeks"] == found["order_weeks"]["quality"]["score"] == last.score
    assert written(built)["folder"] == said["folder"]  # nothing changed: nothing new is published


def test_a_changed_declaration_makes_what_is_there_stale(built):
    changed = swapped(shop, order_history, replace(order_history, features=order_history.features[::-1]))
    said = written(built, changed)
    stale = {item["name"] for item in listed(said) if item["status"] == "stale"}
    assert stale == {"order_history", "lapse_view", "lapse_dataset"}
    assert said["stale"] == 3
    assert "came from another declaration" in said["summary"]


def test_it_has_no_partitions_and_comes_after_everything():
    defs = definitions([shop], PlatformResource())
    graph = defs.resolve_asset_graph()
    node = graph.get(catalog_key(shop))
    assert node.partitions_def is None
    assert {key.path[-1] for key in node.parent_keys} == {
        noun.name for noun in shop.nouns if not noun.name.endswith(("_evaluation", "_card"))
    }
    jobs = {job.name: job for job in defs.resolve_all_job_defs()}
    assert [key.path[-1] for key in jobs["shop_catalog"].asset_layer.executable_asset_keys] == [CATALOG]
    assert all(
        catalog_key(shop) not in job.asset_layer.executable_asset_keys
        for name, job in jobs.items()
        if name.startswith("shop_") and name != "shop_catalog"
    )
    assert orders.name in {key.path[-1] for key in node.parent_keys}


def test_damage_is_one_sentence(built):
    log = built.folder / "data" / "tables" / "shop" / "orders" / "_delta_log"
    for file in log.glob("*.json"):
        file.write_text("{")
    result = dg.materialize(
        [catalog_asset(shop)], instance=built.instance, resources={"platform": built.platform}, raise_on_error=False
    )
    assert not result.success
    assert "shop/orders" in failures(result).splitlines()[0]
