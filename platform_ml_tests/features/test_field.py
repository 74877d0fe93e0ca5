import pyarrow as pa
import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.features import Field
from platform_ml.testing.features import TYPES, FeatureContract


class TestField(FeatureContract):
    @pytest.fixture
    def feature(self):
        return Field(of="item")

    def test_by_hand(self, feature):
        assert (feature.name, feature.meaning, feature.absent) == ("item", "item as last known.", None)
        rows = pa.table({"item": ["a", None, "b"]})
        found = DuckDB(threads=1).query(f"SELECT {feature.sql(str)} AS value FROM raw", {"raw": rows}).table()
        assert found["value"].to_pylist() == ["a", None, "b"]

    @pytest.mark.parametrize("column", TYPES)
    def test_it_keeps_the_type(self, column):
        assert Field(of=column).result(TYPES) == TYPES[column]
