import sys
from dataclasses import dataclass

import numpy as np
import pytest

from platform_ml.engine.portable import FILE, export, run
from platform_ml.families import LightGBM, Majority, XGBoost
from platform_ml.testing.families import invented
from platform_ml.testing.learners import with_shop

VALUES = {
    "max_depth": 3,
    "learning_rate": 0.3,
    "min_child_weight": 1.0,
    "subsample": 1.0,
    "colsample_bytree": 1.0,
    "reg_lambda": 1.0,
    "reg_alpha": 0.1,
    "max_bin": 64,
    "max_rounds": 20,
    "early_stopping_rounds": 5,
}


@pytest.fixture(scope="module")
def fitted():
    return XGBoost().fit(invented(1), invented(2), params=VALUES, seed=0)


def test_a_graph_that_predicts_the_same_is_written(fitted, tmp_path):
    rows = invented(3).features
    made = export(fitted, rows, tmp_path)
    assert made.file == FILE
    assert made.rows == 400
    assert made.max_difference < 1e-5
    assert made.reason.startswith("Predicts the same for 400 validation rows")
    found = run((tmp_path / FILE).read_bytes(), fitted.inputs(rows))
    np.testing.assert_allclose(found, fitted.predict(rows), atol=1e-5)


@dataclass(frozen=True)
class Otherwise:
    """A model whose graph is that of another one."""

    model: object
    shift: float

    def predict(self, rows):
        return self.model.predict(rows) + self.shift

    def onnx(self):
        return self.model.onnx()

    def inputs(self, rows):
        return self.model.inputs(rows)


@pytest.mark.parametrize("shift", [0.01, float("nan")])
def test_a_graph_that_predicts_otherwise_is_not(fitted, tmp_path, shift):
    made = export(Otherwise(fitted, shift), invented(3).features, tmp_path)
    assert made.file is None
    assert made.reason.startswith("The graph predicts otherwise")
    assert list(tmp_path.iterdir()) == []


def test_a_model_without_an_equal_says_why(tmp_path):
    names = {"num_leaves": 7, "max_rounds": 10, "early_stopping_rounds": 5, "max_bin": 63, "learning_rate": 0.1}
    fitted = LightGBM().fit(with_shop(invented(1)), with_shop(invented(2)), params=names, seed=0)
    made = export(fitted, with_shop(invented(3)).features, tmp_path)
    assert made.reason == "LightGBM with categories (shop) has no equal in ONNX."
    assert made.file is None


def test_a_family_without_graphs_says_so(tmp_path):
    made = export(Majority().fit(invented(1), invented(2), params={}, seed=0), invented(3).features, tmp_path)
    assert made.reason == "This family has no ONNX graph."


@pytest.mark.parametrize("module", ["onnxmltools", "onnxruntime"])
def test_without_the_libraries_it_says_what_to_install(fitted, tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    made = export(fitted, invented(3).features, tmp_path)
    assert made.file is None
    assert "pip install 'platform_ml[onnx]'" in made.reason
