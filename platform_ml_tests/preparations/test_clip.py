import pyarrow as pa
import pytest

from platform_ml.preparations import Clip
from platform_ml.spec.errors import DeclarationError, RowsError
from platform_ml.testing.preparations import PreparationContract


class TestClip(PreparationContract):
    @pytest.fixture
    def preparation(self):
        return Clip(of=("amount", "visits"), low=0.05, high=0.95)


def test_what_is_beyond_becomes_the_quantile():
    clip = Clip(of=("a",), low=0.25, high=0.75)
    state = clip.fit(pa.table({"a": [0, 1, 2, 3, 4]}))
    assert clip.apply(pa.table({"a": [-9, 2, None, 99]}), state)["a"].to_pylist() == [1, 2, None, 3]


@pytest.mark.parametrize("ends", [(0.5, 0.5), (-0.1, 0.9), (0.1, 1.1)])
def test_quantiles_have_an_order(ends):
    with pytest.raises(DeclarationError, match="Clip: low="):
        Clip(of=("a",), low=ends[0], high=ends[1])


@pytest.mark.parametrize(("values", "complaint"), [([None, None], "null in all 2"), ([1.0, float("inf")], "infinite")])
def test_rows_that_say_nothing_are_refused(values, complaint):
    with pytest.raises(RowsError, match=f"{complaint}|'a' {complaint}"):
        Clip(of=("a",)).fit(pa.table({"a": pa.array(values, pa.float64())}))
