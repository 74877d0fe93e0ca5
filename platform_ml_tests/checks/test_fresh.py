from datetime import UTC, datetime
from typing import ClassVar

import pyarrow as pa
import pytest

from platform_ml.checks import Fresh
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Text, Timestamp
from platform_ml.testing.checks import CheckContract, judged

END = datetime(2024, 1, 2, tzinfo=UTC)


class TestFresh(CheckContract):
    columns: ClassVar = {"at": Timestamp()}
    types: ClassVar = {"at": pa.timestamp("us", "UTC")}
    last = END

    @pytest.fixture
    def check(self):
        return Fresh("at", 4)

    @pytest.fixture
    def good(self):
        return [{"at": [END.replace(day=1, hour=3), END.replace(day=1, hour=20)]}]

    @pytest.fixture
    def bad(self):
        return [{"at": [END.replace(day=1, hour=12)]}]

    def test_no_rows_are_not_fresh(self, check):
        assert not judged(check, [{"at": []}], self.types, last=END).passed

    def test_a_table_without_end_passes(self, check, bad):
        assert judged(check, bad, self.types).passed

    def test_for_moments(self, check):
        with pytest.raises(DeclarationError, match="is no Timestamp"):
            check.check("Table", {"at": Text()})

    def test_no_span(self):
        with pytest.raises(DeclarationError, match="no time span"):
            Fresh("at", 0)
