"""What a network learns to say: how labels become its targets, and its outputs predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from platform_ml.families.inputs import check_label
from platform_ml.families.losses import USUAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.spec.family import Rows


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A loss, and what turns outputs (n, outputs) into predictions."""

    loss: str
    """log, softmax, squared or absolute."""
    outputs: int
    """One score; of several classes one each."""
    middle: float = 0.0
    spread: float = 1.0
    """What numbers are scaled by."""
    classes: tuple[str, ...] = ()
    """What the outputs of a softmax are of."""

    @classmethod
    def of(cls, train: Rows, loss: str | None) -> Self:
        """What these training rows need."""
        check_label(train, "train")
        loss = loss or USUAL[train.task]
        if loss == "log":
            return cls(loss=loss, outputs=1)
        if loss == "softmax":
            return cls(loss=loss, outputs=len(train.classes), classes=tuple(train.classes))
        return cls(loss=loss, outputs=1, middle=float(train.label.mean()), spread=float(train.label.std()))

    def target(self, rows: Rows, split: str) -> NDArray[np.float32]:
        """(n,) what the network is to say: a scaled number, 0 or 1, or the place of a class."""
        import numpy as np

        check_label(rows, split)
        scaled: NDArray[np.float32] = ((rows.label - self.middle) / self.spread).astype(np.float32)
        return scaled

    def losses(self, torch: Any) -> Any:
        """From outputs (n, outputs) and targets (n,) to the loss of each row."""
        functions = torch.nn.functional
        if self.loss == "softmax":
            return lambda output, target: functions.cross_entropy(output, target.long(), reduction="none")
        named = {"log": "binary_cross_entropy_with_logits", "squared": "mse_loss", "absolute": "l1_loss"}
        loss = getattr(functions, named[self.loss])
        return lambda output, target: loss(output[:, 0], target, reduction="none")

    def score(self, target: NDArray[np.float32], output: NDArray[np.float64]) -> float:
        """The greater the better: area under the ROC curve, or a loss with its sign turned, in scaled units."""
        import numpy as np
        from scipy.special import log_softmax
        from sklearn.metrics import roc_auc_score

        if not np.isfinite(output).all():
            return float("-inf")
        if self.loss == "softmax":
            return float(log_softmax(output, axis=1)[np.arange(len(target)), target.astype(np.int64)].mean())
        if self.loss == "log":
            return float(roc_auc_score(target, output[:, 0]))
        off = output[:, 0] - target
        return -float(np.sqrt((off**2).mean()) if self.loss == "squared" else np.abs(off).mean())

    def predictions(self, output: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) the probability of 1, or the number; of several classes (n, classes) their probabilities.

        Sums of many rows differ from those of one in the last digits of 64 bits: outputs keep those of 32.
        """
        import numpy as np
        from scipy.special import expit, softmax

        output = output.astype(np.float32).astype(np.float64)
        if self.loss == "softmax":
            return np.asarray(softmax(output, axis=1))
        return np.asarray(expit(output[:, 0]) if self.loss == "log" else output[:, 0] * self.spread + self.middle)

    def onnx(self, onnx: Any, source: str, target: str) -> tuple[list[Any], list[Any]]:
        """`predictions` as nodes of a graph, and the tensors that they need."""
        import numpy as np

        node, given = onnx.helper.make_node, onnx.numpy_helper.from_array
        if self.loss == "softmax":
            return [node("Softmax", [source], [target], axis=1)], []
        tensors = [given(np.asarray([-1], np.int64), "flat")]
        nodes = [node("Reshape", [source, "flat"], ["flat_output"])]
        if self.loss == "log":
            return [*nodes, node("Sigmoid", ["flat_output"], [target])], tensors
        tensors += [
            given(np.asarray([self.spread], np.float32), "spread"),
            given(np.asarray([self.middle], np.float32), "middle"),
        ]
        scaled = node("Mul", ["flat_output", "spread"], ["spread_output"])
        return [*nodes, scaled, node("Add", ["spread_output", "middle"], [target])], tensors

    def to_plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "loss": self.loss,
            "outputs": self.outputs,
            "middle": self.middle,
            "spread": self.spread,
            "classes": self.classes,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read back what `to_plain` gave."""
        return cls(
            loss=str(plain["loss"]),
            outputs=int(plain["outputs"]),
            middle=float(plain["middle"]),
            spread=float(plain["spread"]),
            classes=tuple(map(str, plain["classes"])),
        )
