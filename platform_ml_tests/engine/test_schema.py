import json

import pandas as pd
import pandera.pandas
import pytest
import yaml
from pandera.errors import SchemaErrors

from platform_ml.cli import main
from platform_ml.engine.schema import arrow_schema, arrow_type, pandera_table
from platform_ml.projects.retail.features import customer_behaviour
from platform_ml.projects.retail.sources import products
from platform_ml.spec.schema import Boolean, Decimal, Double, Integer, Text, Timestamp
from platform_ml.testing.declarations import lapsed

GOOD = {
    "product_id": [1, 2],
    "manufacturer_id": [1, 1],
    "department": ["a", None],
    "brand": ["Private", None],
    "product_category": [None, None],
    "product_type": [None, None],
    "package_size": [None, None],
}


def frame(**columns):
    kinds = {name: pd.ArrowDtype(arrow_type(kind)) for name, kind in products.types.items()}
    return pd.DataFrame(GOOD | columns).astype(kinds)


def test_a_source_has_all_that_its_columns_say():
    schema = pandera_table(products)
    schema.validate(frame(), lazy=True)
    for wrong in ({"product_id": [1, 1]}, {"product_id": [1, None]}, {"brand": ["Private", "mine"]}):
        with pytest.raises(SchemaErrors):
            schema.validate(frame(**wrong), lazy=True)


def test_what_is_exported_is_read_back_by_pandera():
    schema = pandera_table(products)
    for again in (
        pandera.pandas.DataFrameSchema.from_yaml(schema.to_yaml()),
        pandera.pandas.DataFrameSchema.from_json(schema.to_json()),
    ):
        again.validate(frame(), lazy=True)
        with pytest.raises(SchemaErrors):
            again.validate(frame(brand=["Private", "mine"]), lazy=True)


@pytest.mark.parametrize("noun", [customer_behaviour, lapsed])
def test_groups_and_labels(noun):
    schema = pandera_table(noun)
    assert list(schema.columns) == list(noun.columns)
    assert schema.unique == [*(noun.keys if noun is customer_behaviour else noun.key), "event_time"]
    assert not schema.columns["event_time"].nullable


def test_the_command_prints_it(capsys):
    assert main(["schema", "retail/products", "--format", "json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["columns"]) == list(products.types)
    assert main(["schema", "retail/customer_behaviour"]) == 0
    assert "event_time" in yaml.safe_load(capsys.readouterr().out)["columns"]
    assert main(["schema", "retail/product"]) == 1
    assert "Did you mean 'retail/products'" in capsys.readouterr().err


def test_the_names_of_types_are_those_that_arrow_gives_them():
    kinds = [Integer(), Double(), Text(), Boolean(), Timestamp(), Decimal(precision=12, scale=2)]
    for kind in kinds:
        assert arrow_schema({"x": kind}) == {"x": str(arrow_type(kind))}
