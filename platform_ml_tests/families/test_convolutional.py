from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.engine.portable import run
from platform_ml.engine.rows import SplitRows
from platform_ml.families import Convolutional, epochs
from platform_ml.spec.errors import DeclarationError, RowsError
from platform_ml.spec.task import BINARY, REGRESSION
from platform_ml.testing.learners import quality
from platform_ml.testing.networks import TRAINING, ListNetworkContract

PARAMS = TRAINING | {"image": None, "layers": 2, "width": 16, "kernel": 3, "longest": 5}
PIXELS = PARAMS | {"image": (8, 8, 1), "width": 12, "max_epochs": 10, "learning_rate": 0.03}


class TestConvolutional(ListNetworkContract):
    """Along sequences, of a binary label."""

    member, params = Convolutional, PARAMS

    def test_half_precision_is_close(self, fitted, unseen):
        half = self.fit(precision="bfloat16")
        assert quality(unseen, half.predict(unseen.features)) > 0.7
        assert (half.predict(unseen.features) != fitted.predict(unseen.features)).any()


class TestConvolutionalOfNumbers(ListNetworkContract):
    """Along sequences, of a number."""

    member, params = Convolutional, PARAMS | {"max_epochs": 9}
    task = REGRESSION


@cache
def digits(first, last):
    """Handwritten digits of 8 x 8 pixels, as scikit-learn brings them: whether one is odd."""
    from sklearn.datasets import load_digits

    images, named = load_digits(return_X_y=True)
    count = last - first
    return SplitRows(
        features=pa.table({"pixels": pa.array(images[first:last].tolist(), pa.list_(pa.float64()))}),
        label=(named[first:last] % 2).astype(np.float64),
        entity=np.arange(count),
        event_time=pa.chunked_array([pa.nulls(count, pa.timestamp("us", tz="UTC"))]),
        helpers=pa.table({}),
        task=BINARY,
    )


@pytest.fixture(scope="module")
def reader():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(epochs.DEVICE, "cpu")
        return Convolutional(image=(8, 8, 1)).fit(digits(0, 600), digits(600, 900), params=PIXELS, seed=3)


def test_it_reads_images(reader, tmp_path):
    rows = digits(900, 1_500)
    prediction = reader.predict(rows.features)
    assert quality(rows, prediction) > 0.95
    again = Convolutional().load(reader.save(tmp_path), ("pixels",))
    assert again.predict(rows.features).tolist() == prediction.tolist()
    np.testing.assert_allclose(run(reader.onnx(), reader.inputs(rows.features)), prediction, atol=1e-5)
    assert reader.contributions(rows.features.slice(0, 5)).shape == (5, 1)


def test_an_image_may_miss_pixels_or_be_missing(reader):
    rows = digits(0, 300)
    images = rows.features["pixels"].to_pylist()
    holes = [
        [None if (n + at) % 50 == 0 else value for at, value in enumerate(image)] for n, image in enumerate(images)
    ]
    table = pa.table({"pixels": pa.array([*holes[:-1], None], pa.list_(pa.float64()))})
    fitted = Convolutional().fit(replace(rows, features=table, cache={}), digits(600, 900), params=PIXELS, seed=3)
    assert fitted.how.parts[0].planes == 2
    np.testing.assert_allclose(run(fitted.onnx(), fitted.inputs(table)), fitted.predict(table), atol=1e-5)


def test_an_image_of_another_size_is_refused(reader):
    with pytest.raises(RowsError, match=r"'pixels' has a list of 3 numbers: \(8, 8, 1\) takes 64"):
        reader.predict(pa.table({"pixels": pa.array([[1.0, 2.0, 3.0]])}))


@pytest.mark.parametrize(
    ("field", "value"),
    [("kernel", 4), ("kernel", 33), ("image", (8, 0, 1)), ("image", (-8, -8, 1)), ("layers", 0), ("precision", "half")],
)
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(DeclarationError, match=f"Convolutional: {field}"):
        Convolutional(**{field: value})
