"""A weighted sum."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.columns import EveryColumn
from platform_ml.families.design import Design, designed
from platform_ml.families.encoding import Encoded
from platform_ml.families.inputs import check_label, weights
from platform_ml.families.limits import check_limits
from platform_ml.families.softmax import Softmax
from platform_ml.spec.attribution import LINEAR_SHAP, Attribution, unit_of
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.errors import StoreError
from platform_ml.spec.space import Between, Whole
from platform_ml.spec.task import BINARY, MULTICLASS, REGRESSION, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Rows

LIMITS = {"penalty": (0, float("inf")), "l1_share": (0, 1), "max_levels": (1, 10_000), "max_steps": (1, float("inf"))}


@dataclass(frozen=True, kw_only=True)
class Linear(EveryColumn):
    """Logistic regression for a binary label or several classes, linear regression for a number, by scikit-learn.

    Small is the mean loss of the rows + penalty * (l1_share * sum |w| + (1 - l1_share) / 2 * sum w²), the elastic net
    (Zou and Hastie 2005); the loss is log loss, or half the squared error. Nulls are filled with the median and marked
    by a column, categories have a column for each level, and all columns are scaled, as the training rows say.
    """

    name: ClassVar[str] = "linear"
    complexity: ClassVar[Complexity] = Complexity.WEIGHTS
    tasks: ClassVar[tuple[Task, ...]] = (BINARY, REGRESSION, MULTICLASS)

    penalty: float | Between = Between(1e-5, 1.0, log=True)
    l1_share: float | Between = 0.0
    """0: L2 alone (ridge); 1: L1 alone (lasso), which leaves out features."""
    max_levels: int | Whole = 50
    """Of a category; the rarer ones are taken as missing."""
    max_steps: int = 1_000

    def __post_init__(self) -> None:
        check_limits(self, LIMITS, above=("penalty",))

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> WeightedSum | Softmax:
        """Find the weights; there is nothing to stop early."""
        import numpy as np
        from threadpoolctl import threadpool_limits

        design, columns = designed(train, params["max_levels"])
        check_label(validation, "validation")
        with threadpool_limits(limits=1):  # sums of several threads are not the same to the last digit
            model = _solved(columns, train, params, seed)
        if train.task is MULTICLASS:
            return Softmax.of(design, train.classes, model)
        found, bias = np.ravel(model.coef_).astype(np.float64), float(np.ravel(model.intercept_)[0])
        return WeightedSum(
            encoding=design.encoding, design=design, weights=tuple(found.tolist()), bias=bias, task=train.task
        )

    def load(self, file: Path, features: Sequence[str]) -> WeightedSum | Softmax:
        """Read the weights back."""
        try:
            plain = json.loads(file.read_text(encoding="utf-8"))
            if "classes" in plain:
                return Softmax.from_plain(file, plain, features)
            design = Design.from_plain(file, plain["design"])
            found, bias = tuple(float(weight) for weight in plain["weights"]), float(plain["bias"])
            task = Task(plain["task"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{file} holds no weighted sum ({error!r}). Materialize the model again.") from error
        design.encoding.check(file, features)
        if len(found) != len(design.means):
            raise StoreError(f"{file} does not fit together. Materialize the model again.")
        return WeightedSum(encoding=design.encoding, design=design, weights=found, bias=bias, task=task)


@dataclass(frozen=True, kw_only=True)
class WeightedSum(Encoded):
    """Fitted weights of the columns of a design."""

    explained_by: ClassVar[str] = LINEAR_SHAP

    design: Design
    weights: tuple[float, ...]
    bias: float
    task: Task

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) the probability of 1, or the number."""
        import numpy as np
        from scipy.special import expit

        columns = self.design.columns(self.inputs(rows))
        total = np.full(len(columns), self.bias)
        for place, weight in enumerate(self.weights):  # a product of matrices sums in another order for one row
            total += columns[:, place] * weight
        return np.asarray(expit(total) if self.task is BINARY else total, dtype=np.float64)

    def save(self, folder: Path) -> Path:
        """Write `model.json`: weights, and how rows become columns."""
        file = folder / "model.json"
        plain = {
            "task": str(self.task),
            "bias": self.bias,
            "weights": self.weights,
            "design": self.design.to_plain(),
        }
        file.write_text(json.dumps(plain, allow_nan=False, sort_keys=True), encoding="utf-8")
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n, features) SHAP values; of several classes their mean sizes."""
        return self.attribution(rows).flat

    def attribution(self, rows: pa.Table) -> Attribution:
        """Exact SHAP values in log odds, or in the label's unit, of features taken as independent.

        For a sum each is its weight times the distance from the mean (Lundberg and Lee 2017, corollary 1).
        """
        import numpy as np

        terms = self.design.columns(self.inputs(rows)) * np.asarray(self.weights)
        found = np.zeros((rows.num_rows, len(self.encoding.features)))
        for column, owner in enumerate(self.design.owners):
            found[:, owner] += terms[:, column]
        base = np.full((rows.num_rows, 1), self.bias)
        return Attribution(values=found[:, :, None], base=base, unit=unit_of(self.task))

    def onnx(self) -> bytes:
        """The same sum as an ONNX graph, from the encoded rows on."""
        import numpy as np

        from platform_ml.families import graphs
        from platform_ml.spec.libraries import library

        onnx = library("onnx", extra="onnx", user="Export to ONNX")
        node, given = onnx.helper.make_node, onnx.numpy_helper.from_array
        nodes, tensors = self.design.onnx(onnx, graphs.INPUT, "columns")
        tensors += [
            given(np.asarray(self.weights, np.float32)[:, None], "weights"),
            given(np.asarray([self.bias], np.float32), "bias"),
            given(np.asarray([-1], np.int64), "flat"),
        ]
        last = "total" if self.task is BINARY else graphs.OUTPUT
        nodes += [
            node("MatMul", ["columns", "weights"], ["weighed"]),
            node("Add", ["weighed", "bias"], ["sum"]),
            node("Reshape", ["sum", "flat"], [last]),
        ]
        if self.task is BINARY:
            nodes.append(node("Sigmoid", [last], [graphs.OUTPUT]))
        return graphs.graph(nodes, tensors, self.encoding)


def _solved(columns: NDArray[np.float64], train: Rows, params: Mapping[str, Any], seed: int) -> Any:
    """The weights and the bias; a search judges them by its validation rows, whether all steps were taken or not."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge

    penalty, share, steps = params["penalty"], params["l1_share"], params["max_steps"]
    counts = weights(train)
    total = len(train.label) if counts is None else float(counts.sum())
    model: Any
    if train.task.in_classes:
        solver = "saga" if share > 0 else "lbfgs"
        strength = {"C": 1 / (penalty * total), "l1_ratio": share}
        model = LogisticRegression(solver=solver, max_iter=steps, random_state=seed, **strength)
    elif share > 0:
        model = ElasticNet(alpha=penalty, l1_ratio=share, max_iter=steps)
    else:
        model = Ridge(alpha=penalty * total, solver="cholesky")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(columns, train.label, sample_weight=counts)
