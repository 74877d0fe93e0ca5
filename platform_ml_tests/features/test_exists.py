import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.features import Exists
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Boolean
from platform_ml.testing.features import TYPES, FeatureContract


class TestExists(FeatureContract):
    @pytest.fixture
    def feature(self):
        return Exists(called="surveyed")

    def test_by_hand(self, feature):
        assert (feature.name, feature.result(TYPES)) == ("surveyed", Boolean())
        sql = f"SELECT {feature.sql(str)} AS there, {feature.absent} AS absent"
        assert DuckDB(threads=1).query(sql, {}).table().to_pylist() == [{"there": True, "absent": False}]

    def test_it_needs_a_proper_name(self):
        with pytest.raises(DeclarationError, match=r"Feature 'Is there'.*Try 'is_there'"):
            Exists(called="Is there")
