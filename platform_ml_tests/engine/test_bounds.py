from dataclasses import replace

import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.bounds import bounds, outside_sql
from platform_ml.features import Field
from platform_ml.projects.flights.delays import late, late_dataset, late_view
from platform_ml.projects.retail import retail
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.schema import Column, Double, Text
from platform_ml_tests.engine.shop import customer_profile, customers, lapse_dataset, lapsed, order_history

STRICT = replace(
    customers,
    columns=tuple(replace(c, allowed=("DE", "FR")) if c.name == "country" else c for c in customers.columns),
)


def test_a_field_keeps_the_bounds_of_its_column_under_another_name():
    group = replace(customer_profile, source=STRICT, features=(Field(of="country", called="home"), Field(of="student")))
    assert bounds(group) == {"home": STRICT.column("country")}
    assert bounds(replace(group, source=customers)) == {}


@pytest.mark.parametrize("noun", [order_history, lapsed, lapse_dataset])
def test_what_is_computed_has_none(noun):
    assert bounds(noun) == {}


def test_events_bring_theirs_along():
    found = bounds(late)
    assert found["origin"].allowed == late.source.column("origin").allowed
    assert late.name not in found
    assert not {column.name for column in late.derived} & found.keys()


def test_a_view_and_its_dataset_have_those_of_label_and_groups():
    found = bounds(late_view)
    assert bounds(late).items() <= found.items()
    assert found.keys() <= late_view.types.keys()
    assert bounds(late_dataset) == found


def test_a_looked_up_column_brings_its_own():
    for group in retail.all(FeatureGroup):
        assert bounds(group).keys() <= {*group.keys, *(feature.name for feature in group.features)}


def test_nulls_are_not_outside():
    rows = pa.table({"a": [1.0, None, 3.0, 9.0], "b": ["x", "y", None, "z"]})
    columns = {"a": Column("a", Double(), minimum=2, maximum=5), "b": Column("b", Text(), allowed=("x", "y"))}
    found = DuckDB(threads=1).query(f"SELECT {outside_sql(columns)} AS n FROM rows", {"rows": rows}).table()
    assert found["n"].to_pylist() == [3]
    assert outside_sql({}) == "0"


def test_where_nothing_is_known_nothing_is_outside():
    rows = pa.table({"x": pa.nulls(3, pa.float64()), "y": [1.0, None, 7.0]})
    sql = f"SELECT {outside_sql({name: Column(name, Double(), maximum=5) for name in 'xy'})} AS n FROM rows"
    assert DuckDB().query(sql, {"rows": rows}).table()["n"].to_pylist() == [1]
