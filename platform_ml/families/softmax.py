"""Several weighted sums that share the probability: one for each class."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.design import Design
from platform_ml.families.encoding import Encoded
from platform_ml.spec.attribution import LINEAR_SHAP, LOG_ODDS, Attribution
from platform_ml.spec.errors import StoreError
from platform_ml.spec.task import MULTICLASS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

NEVER = -100.0
"""The bias of a class that no training row had."""


@dataclass(frozen=True, kw_only=True)
class Softmax(Encoded):
    """Fitted weights of the columns of a design, for each class (multinomial logistic regression)."""

    explained_by: ClassVar[str] = LINEAR_SHAP

    design: Design
    classes: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]
    """Class by class."""
    bias: tuple[float, ...]

    @classmethod
    def of(cls, design: Design, classes: tuple[str, ...], model: Any) -> Softmax:
        """What scikit-learn found, which knows only the classes of its rows, and has one sum of two classes."""
        import numpy as np

        weights, bias = np.zeros((len(classes), len(design.means))), np.full(len(classes), NEVER)
        known = model.classes_.astype(np.int64)
        sums = len(model.coef_)
        bias[known] = 0.0
        weights[known[-sums:]], bias[known[-sums:]] = model.coef_, model.intercept_
        return cls(
            encoding=design.encoding,
            design=design,
            classes=classes,
            weights=tuple(map(tuple, weights.tolist())),
            bias=tuple(bias.tolist()),
        )

    @classmethod
    def from_plain(cls, file: Path, plain: Mapping[str, Any], features: Sequence[str]) -> Softmax:
        """Read back what `save` wrote."""
        try:
            design = Design.from_plain(file, plain["design"])
            classes = tuple(str(one) for one in plain["classes"])
            weights = tuple(tuple(float(weight) for weight in one) for one in plain["weights"])
            bias = tuple(float(one) for one in plain["bias"])
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} holds no weighted sums ({error!r}). Materialize the model again.") from error
        design.encoding.check(file, features)
        if not len(classes) == len(weights) == len(bias) or {len(one) for one in weights} != {len(design.means)}:
            raise StoreError(f"{file} does not fit together. Materialize the model again.")
        return cls(encoding=design.encoding, design=design, classes=classes, weights=weights, bias=bias)

    def predict(self, rows: pa.Table) -> Numbers:
        """(n, classes) probabilities."""
        import numpy as np
        from scipy.special import softmax

        columns = self.design.columns(self.inputs(rows))
        total = np.tile(np.asarray(self.bias), (len(columns), 1))
        for place, weights in enumerate(np.asarray(self.weights).T):  # a product of matrices sums in another order
            total += columns[:, place, None] * weights
        return np.asarray(softmax(total, axis=1), dtype=np.float64)

    def save(self, folder: Path) -> Path:
        """Write `model.json`: classes, weights, and how rows become columns."""
        file = folder / "model.json"
        plain = {
            "task": str(MULTICLASS),
            "classes": self.classes,
            "bias": self.bias,
            "weights": self.weights,
            "design": self.design.to_plain(),
        }
        file.write_text(json.dumps(plain, allow_nan=False, sort_keys=True), encoding="utf-8")
        return file

    def contributions(self, rows: pa.Table) -> Numbers:
        """(n, features) the mean size, over the classes, of SHAP values."""
        return self.attribution(rows).flat

    def attribution(self, rows: pa.Table) -> Attribution:
        """Exact SHAP values in log odds of each class, of features taken as independent.

        For a sum each is its weight times the distance from the mean (Lundberg and Lee 2017, corollary 1).
        """
        import numpy as np

        columns = self.design.columns(self.inputs(rows))
        found = np.zeros((rows.num_rows, len(self.encoding.features), len(self.classes)))
        for column, owner in enumerate(self.design.owners):
            for one, weights in enumerate(self.weights):
                found[:, owner, one] += columns[:, column] * weights[column]
        base = np.tile(np.asarray(self.bias), (rows.num_rows, 1))
        return Attribution(values=found, base=base, unit=LOG_ODDS)

    def onnx(self) -> bytes:
        """The same sums as an ONNX graph, from the encoded rows on."""
        import numpy as np

        from platform_ml.families import graphs
        from platform_ml.spec.libraries import library

        onnx = library("onnx", extra="onnx", user="Export to ONNX")
        node, given = onnx.helper.make_node, onnx.numpy_helper.from_array
        nodes, tensors = self.design.onnx(onnx, graphs.INPUT, "columns")
        tensors += [
            given(np.asarray(self.weights, np.float32).T.copy(), "weights"),
            given(np.asarray(self.bias, np.float32), "bias"),
        ]
        nodes += [
            node("MatMul", ["columns", "weights"], ["weighed"]),
            node("Add", ["weighed", "bias"], ["sums"]),
            node("Softmax", ["sums"], [graphs.OUTPUT], axis=1),
        ]
        return graphs.graph(nodes, tensors, self.encoding, MULTICLASS)
