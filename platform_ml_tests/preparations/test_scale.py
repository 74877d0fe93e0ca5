import pyarrow as pa
import pytest

from platform_ml.preparations import Scale
from platform_ml.spec.errors import DeclarationError
from platform_ml.testing.preparations import PreparationContract


class TestScale(PreparationContract):
    @pytest.fixture(params=["standard", "robust", "range"])
    def preparation(self, request):
        return Scale(of=("amount", "visits"), by=request.param)


@pytest.mark.parametrize(("by", "scaled"), [("standard", 2.0), ("robust", 3.0), ("range", 1.5)])
def test_numbers_come_to_one_scale(by, scaled):
    scale = Scale(of=("a",), by=by)
    state = scale.fit(pa.table({"a": [0.0, 0.0, 0.0, 2.0, 2.0, 2.0] if by == "standard" else [0.0, 1.0, 2.0]}))
    assert scale.apply(pa.table({"a": [3.0, None]}), state)["a"].to_pylist() == [
        pytest.approx(scaled if by != "robust" else 2.0),
        None,
    ]


def test_what_never_varies_becomes_nothing():
    scale = Scale(of=("a",))
    assert scale.apply(pa.table({"a": [5]}), scale.fit(pa.table({"a": [5, 5]})))["a"].to_pylist() == [0]


def test_another_way_is_refused():
    with pytest.raises(DeclarationError, match="by='log'"):
        Scale(of=("a",), by="log")
