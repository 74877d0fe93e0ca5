import pyarrow as pa
import pytest

from platform_ml.preparations import Impute
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.preparations import PreparationContract


class TestImpute(PreparationContract):
    @pytest.fixture(params=["median", "mean", -1.0])
    def preparation(self, request):
        return Impute(of=("amount", "visits"), by=request.param)


@pytest.mark.parametrize(("by", "filled"), [("median", 2), ("mean", 4), (7.5, 7.5)])
def test_nulls_are_filled(by, filled):
    impute = Impute(of=("a",), by=by)
    state = impute.fit(pa.table({"a": [1, 2, None, 9]}))
    assert impute.apply(pa.table({"a": [None, 3]}), state)["a"].to_pylist() == [filled, 3]


def test_another_way_is_refused():
    with pytest.raises(DeclarationError, match="by='mode'"):
        Impute(of=("a",), by="mode")
