"""A second project is one more entry in the list."""

from dataclasses import replace

import pytest

from platform_ml.adapters.ray_tune import RayTune
from platform_ml.orchestration.build import definitions
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.orchestration.source import delivered
from platform_ml.origins import SQL
from platform_ml.projects.retail import retail
from platform_ml.spec.errors import PlatformError
from platform_ml.testing.declarations import orders, shop


def test_two_projects_live_side_by_side():
    defs = definitions([retail, shop], PlatformResource())
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert {"retail/transactions", "retail/churn", "shop/orders", "shop/lapse"} <= keys
    jobs = {job.name for job in defs.resolve_all_job_defs()}
    assert {"retail_daily", "retail_reference", "retail_churn", "shop_daily", "shop_lapse", "mlflow_health"} <= jobs


def test_every_noun_is_an_asset_of_its_project():
    defs = definitions([retail], PlatformResource())
    keys = {key.path[-1] for key in defs.resolve_asset_graph().get_all_asset_keys() if len(key.path) == 2}
    assert keys == {noun.name for noun in retail.nouns} | {"catalog", "quarantine"}


def test_a_database_is_seen_with_its_table_and_host_and_without_its_password(monkeypatch):
    monkeypatch.setenv("SHOP_URL", "postgresql://reader:hunter2@db.example:5433/shop?passfile=hunter3")
    sold = replace(orders, format=None, origin=SQL(url="env:SHOP_URL", table="sales.orders"))
    spec = delivered(shop, sold)
    assert spec.description == "What is read of table sales.orders in postgresql://db.example:5433/shop."
    assert spec.kinds == {"sql"}
    assert "hunter" not in repr(spec)
    monkeypatch.delenv("SHOP_URL")
    assert delivered(shop, sold).description == "What is read of table sales.orders in env:SHOP_URL."


def test_assets_of_one_job_share_their_partitions():
    jobs = {job.name for job in definitions([retail], PlatformResource()).resolve_all_job_defs()}
    assert {"retail_weekly_from_20161226", "retail_weekly_from_20161231"} <= jobs
    assert "retail_weekly" not in jobs


@pytest.mark.parametrize(
    ("place", "spread"),
    [("", None), ("ray", RayTune()), ("ray-asynchronous", RayTune(asynchronous=True))],
)
def test_the_environment_says_where_trials_run(monkeypatch, tmp_path, place, spread):
    monkeypatch.setenv("PLATFORM_ML_TUNING", place)
    assert PlatformResource(data=str(tmp_path)).platform().spread == spread


def test_a_place_that_nobody_knows_is_refused(tmp_path):
    with pytest.raises(PlatformError, match=r"PLATFORM_ML_TUNING='rya' is no place for trials\. Did you mean 'ray'\?"):
        PlatformResource(data=str(tmp_path), tuning="rya").platform()
