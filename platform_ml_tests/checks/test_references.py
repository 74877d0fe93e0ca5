from typing import ClassVar

import pyarrow as pa
import pytest

from platform_ml.checks import References
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.schema import Integer, Text
from platform_ml.testing.checks import CheckContract, judged
from platform_ml.testing.declarations import customers, orders


class TestReferences(CheckContract):
    columns: ClassVar = {"customer_id": Integer()}

    @pytest.fixture
    def check(self):
        return References("customer_id", customers, max_share=0.25)

    @pytest.fixture
    def read(self):
        return {"customers": pa.table({"customer_id": [1, 2, None]})}

    @pytest.fixture
    def good(self):
        return [{"customer_id": [1, 1, None, 7]}]

    @pytest.fixture
    def bad(self):
        return [{"customer_id": [1, 8, 7]}]

    def test_names_an_orphan(self, check, bad, read):
        assert judged(check, bad, read=read).reason == (
            "2 of 3 rows (66.67%, allowed 25.00%) have a customer_id that customers does not have, like 7."
        )

    def test_same_type(self, check):
        with pytest.raises(DeclarationError, match="Declare them alike"):
            check.check("Table", {"customer_id": Text()})

    def test_events_are_no_reference(self):
        with pytest.raises(DeclarationError, match="has events"):
            References("order_id", orders)

    def test_near_miss(self):
        with pytest.raises(DeclarationError, match="Did you mean 'customer_id'"):
            References("customer_ids", customers)
