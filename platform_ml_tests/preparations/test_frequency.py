import pyarrow as pa
import pytest

from platform_ml.preparations import Frequency
from platform_ml.testing.preparations import PreparationContract


class TestFrequency(PreparationContract):
    @pytest.fixture
    def preparation(self):
        return Frequency(of=("shop",))


def test_a_text_becomes_its_share():
    frequency = Frequency(of=("a",))
    state = frequency.fit(pa.table({"a": ["x", "x", "y", None]}))
    given = pa.table({"a": pa.array(["y", "x", "new", None]).dictionary_encode()})
    assert frequency.apply(given, state)["a"].to_pylist() == [0.25, 0.5, 0.0, None]
