"""Promotions by week through Dagster, of two stores."""

from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from platform_ml.engine.quarantine import rejected_table
from platform_ml.projects.retail import retail
from platform_ml.projects.retail.sources import products, promotions
from platform_ml_tests.projects.shops import Shop, land, rows

WEEKS = promotions.cadence.keys()[:5]
STORES = pa.array([361, 367])


@pytest.fixture(scope="module")
def weeks(tmp_path_factory):
    shop = Shop(tmp_path_factory.mktemp("retail"))
    land(shop.work, products)
    assert shop.run(retail, ["products"]).success
    whole = replace(promotions, cadence=replace(promotions.cadence, last=date.fromisoformat(WEEKS[-1])))
    land(shop.work, whole, lambda rows: pc.is_in(rows["store_id"], STORES))
    for names in (["promotions"], ["product_promotion"]):
        done = shop.run(retail, names, span=(WEEKS[0], WEEKS[-1]))
        assert done.success, shop.failure(done)
    return shop


def test_a_week_begins_on_its_monday(weeks):
    sql = "SELECT week, min(week_start)::VARCHAR AS first, count(*) AS n FROM promotions GROUP BY week ORDER BY week"
    found = rows(weeks, sql, "promotions")
    assert [row["first"][:10] for row in found] == WEEKS
    assert [row["week"] for row in found] == [1, 2, 3, 4, 5]


def test_of_contradicting_rows_that_on_display_is_kept(weeks):
    sql = "SELECT display_location AS at FROM promotions WHERE product_id = 1016800 AND store_id = 361 AND week = 1"
    assert rows(weeks, sql, "promotions") == [{"at": "1"}]
    rejected = weeks.work.platform.tables.snapshot(rejected_table(promotions, weeks.work))
    assert rejected.partitions[WEEKS[0]].rows > 0


def test_a_snapshot_counts_stores_of_the_last_weeks(weeks):
    sql = f"""
        SELECT count(*) AS n, count_if(on_display_sum_7d <> shown) AS wrong,
               count_if(store_id_distinct_28d > 2) AS more
        FROM product_promotion JOIN (
            SELECT product_id, count_if(display_location <> '0') AS shown FROM promotions WHERE week = 5
            GROUP BY product_id
        ) USING (product_id)
        WHERE event_time = TIMESTAMPTZ '{date.fromisoformat(WEEKS[-1]) + timedelta(days=7)} 00:00:00+00'"""
    (found,) = rows(weeks, sql, "product_promotion", "promotions")
    assert found["n"] > 1_000
    assert (found["wrong"], found["more"]) == (0, 0)
